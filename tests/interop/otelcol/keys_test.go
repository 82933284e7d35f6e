// Prints the configuration keys of every component of the Collector that it is compiled with: `make interop` copies it
// beside the sources that the Collector's builder made. tests/data/otelcol_keys.json is what it printed.
package main

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestKeys(t *testing.T) {
	factories, err := components()
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]map[string]any{"receivers": {}, "processors": {}, "exporters": {}, "extensions": {}}
	for _, factory := range factories.Receivers {
		keys["receivers"][factory.Type().String()] = keysOf(reflect.TypeOf(factory.CreateDefaultConfig()))
	}
	for _, factory := range factories.Processors {
		keys["processors"][factory.Type().String()] = keysOf(reflect.TypeOf(factory.CreateDefaultConfig()))
	}
	for _, factory := range factories.Exporters {
		keys["exporters"][factory.Type().String()] = keysOf(reflect.TypeOf(factory.CreateDefaultConfig()))
	}
	for _, factory := range factories.Extensions {
		keys["extensions"][factory.Type().String()] = keysOf(reflect.TypeOf(factory.CreateDefaultConfig()))
	}
	text, err := json.MarshalIndent(keys, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(os.Getenv("OTELCOL_KEYS"), append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// keysOf returns a map for a struct, one with the key "*" for a map, a list of one for a list, and nil for anything else.
func keysOf(of reflect.Type) any {
	switch {
	case of.Kind() == reflect.Pointer:
		return keysOf(of.Elem())
	case strings.HasPrefix(of.Name(), "Optional[") && strings.HasSuffix(of.PkgPath(), "/configoptional"):
		value, _ := of.FieldByName("value")
		return keysOf(value.Type)
	case of == reflect.TypeFor[time.Time]():
		return nil
	case of.Name() == "MapList": // pairs in a list, which are written as a map
		return map[string]any{"*": nil}
	case of.Kind() == reflect.Slice || of.Kind() == reflect.Array:
		return []any{keysOf(of.Elem())}
	case of.Kind() == reflect.Map:
		return map[string]any{"*": keysOf(of.Elem())}
	case of.Kind() == reflect.Struct:
		return keysOfFields(of)
	}
	return nil
}

func keysOfFields(of reflect.Type) map[string]any {
	keys := map[string]any{}
	for index := range of.NumField() {
		field := of.Field(index)
		name, options, _ := strings.Cut(field.Tag.Get("mapstructure"), ",")
		switch {
		case name == "-" || !field.IsExported():
		case strings.Contains(options, "squash"):
			if within, ok := keysOf(field.Type).(map[string]any); ok {
				for key, value := range within {
					keys[key] = value
				}
			}
		case name == "":
			keys[strings.ToLower(field.Name)] = keysOf(field.Type)
		default:
			keys[name] = keysOf(field.Type)
		}
	}
	return keys
}
