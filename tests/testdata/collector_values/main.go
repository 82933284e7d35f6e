// Writes ../collector_values.json: attribute values and the text that the OpenTelemetry Collector makes of them,
// pdata's Value.AsString(), which is what its ClickHouse exporter stores. Run it here: go run . > ../collector_values.json
package main

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand"
	"os"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// A corpus is one ExportTraceServiceRequest with a span per value, under the attribute "v", and the values' texts by the
// names of the spans.
type corpus struct {
	Request []byte            `json:"request"`
	Texts   map[string]string `json:"texts"`
}

var (
	traces = ptrace.NewTraces()
	spans  = traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	texts  = map[string]string{}
)

func add(name string, fill func(pcommon.Value)) {
	if _, ok := texts[name]; ok {
		panic("two values are called " + name)
	}
	span := spans.AppendEmpty()
	span.SetTraceID(pcommon.TraceID{0: 1})
	span.SetSpanID(pcommon.SpanID{0: 1})
	span.SetName(name)
	fill(span.Attributes().PutEmpty("v"))
	texts[name] = ""
}

// addEverywhere adds a scalar alone, in an array, in an array in an array, and in a map.
func addEverywhere(name string, fill func(pcommon.Value)) {
	add(name, fill)
	add("array of "+name, func(v pcommon.Value) { fill(v.SetEmptySlice().AppendEmpty()) })
	add("array in array of "+name, func(v pcommon.Value) { fill(v.SetEmptySlice().AppendEmpty().SetEmptySlice().AppendEmpty()) })
	add("map of "+name, func(v pcommon.Value) { fill(v.SetEmptyMap().PutEmpty("k")) })
}

func double(f float64) func(pcommon.Value) { return func(v pcommon.Value) { v.SetDouble(f) } }
func integer(i int64) func(pcommon.Value)  { return func(v pcommon.Value) { v.SetInt(i) } }
func text(s string) func(pcommon.Value)    { return func(v pcommon.Value) { v.SetStr(s) } }
func octets(b []byte) func(pcommon.Value) {
	return func(v pcommon.Value) { v.SetEmptyBytes().FromRaw(b) }
}

func main() {
	random := rand.New(rand.NewSource(20260101))
	empty := func(pcommon.Value) {}

	for _, f := range []float64{
		0, math.Copysign(0, -1), 1, -1, 1.5, 0.1, 0.30000000000000004, 100, 123456.789, 1e15, 9007199254740993,
		1e20, 123456789012345680000, 999999999999999868928, 1e21, 1.5e21, -1e21, 1e22, 1e23, 1e100,
		1e-5, 1e-6, 9.99e-7, 1e-7, 1.25e-7, -1.25e-7, 1e-10, 1e-100, 5e-324, math.SmallestNonzeroFloat32,
		2.2250738585072014e-308, math.MaxFloat32, math.MaxFloat64, -math.MaxFloat64, math.NaN(), math.Inf(1), math.Inf(-1),
	} {
		addEverywhere(fmt.Sprintf("double %v", f), double(f))
	}
	for range 150 {
		f := math.Float64frombits(random.Uint64())
		if math.IsNaN(f) || math.IsInf(f, 0) {
			continue
		}
		add(fmt.Sprintf("random bits %v", f), double(f))
		add(fmt.Sprintf("array of random bits %v", f), func(v pcommon.Value) { v.SetEmptySlice().AppendEmpty().SetDouble(f) })
	}
	for range 150 {
		f := random.NormFloat64() * math.Pow(10, float64(random.Intn(50)-25))
		add(fmt.Sprintf("random size %v", f), double(f))
		add(fmt.Sprintf("map of random size %v", f), func(v pcommon.Value) { v.SetEmptyMap().PutDouble("k", f) })
	}
	for _, i := range []int64{0, 1, -1, 1 << 53, 1<<53 + 1, math.MaxInt64, math.MinInt64} {
		addEverywhere(fmt.Sprintf("int %d", i), integer(i))
	}
	addEverywhere("true", func(v pcommon.Value) { v.SetBool(true) })
	addEverywhere("false", func(v pcommon.Value) { v.SetBool(false) })
	addEverywhere("empty value", empty)
	for _, b := range [][]byte{{}, {0}, {0, 255, 1}, []byte("text"), {0xfb, 0xff, 0xfe}} {
		addEverywhere(fmt.Sprintf("bytes %x", b), octets(b))
	}
	var control []byte
	for c := range byte(0x20) {
		control = append(control, c)
	}
	addEverywhere("control characters", text(string(control)))
	for _, s := range []string{
		"", "plain", "\x7f", "tab\tline\nreturn\r", "quote \" apostrophe '", "slash / backslash \\",
		`\/`, `\\/`, "</script>", "<a>&b", "é", "日本語", "😀", "\u2028 and \u2029", "\ufeff", "\u0080", "e\u0301", "null", "{\"a\":1}", "[]", "1e5", "\U0010ffff",
	} {
		addEverywhere(fmt.Sprintf("string %+q", s), text(s))
	}

	add("empty array", func(v pcommon.Value) { v.SetEmptySlice() })
	add("empty map", func(v pcommon.Value) { v.SetEmptyMap() })
	add("array of an empty array", func(v pcommon.Value) { v.SetEmptySlice().AppendEmpty().SetEmptySlice() })
	add("array of an empty map", func(v pcommon.Value) { v.SetEmptySlice().AppendEmpty().SetEmptyMap() })
	add("map of empty ones", func(v pcommon.Value) {
		m := v.SetEmptyMap()
		m.PutEmpty("value")
		m.PutEmptySlice("array")
		m.PutEmptyMap("map")
		m.PutEmptyBytes("bytes")
		m.PutStr("", "empty key")
	})
	add("keys are sorted", func(v pcommon.Value) {
		m := v.SetEmptyMap()
		for i, key := range []string{"z", "a", "B", "é", "日", "😀", "\uffff", "a.b", "a/b", "a\"b", "\u2028", "10", "9", ""} {
			m.PutInt(key, int64(i))
		}
	})
	add("array of every kind", func(v pcommon.Value) {
		array := v.SetEmptySlice()
		array.AppendEmpty().SetStr("text")
		array.AppendEmpty().SetBool(true)
		array.AppendEmpty().SetInt(-1)
		array.AppendEmpty().SetDouble(1.5)
		array.AppendEmpty().SetEmptyBytes().FromRaw([]byte{0, 255})
		array.AppendEmpty()
	})
	add("deep", func(v pcommon.Value) {
		for range 10 {
			v = v.SetEmptyMap().PutEmptySlice("k").AppendEmpty()
		}
		v.SetStr("down here")
	})
	add("messages", func(v pcommon.Value) {
		message := v.SetEmptySlice().AppendEmpty().SetEmptyMap()
		message.PutStr("role", "user")
		part := message.PutEmptySlice("parts").AppendEmpty().SetEmptyMap()
		part.PutStr("type", "text")
		part.PutStr("content", "What's \"this\"?\n")
		part.PutEmptyBytes("blob").FromRaw([]byte{1, 2})
		part.PutDouble("score", 2.50)
	})

	request, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(traces)
	if err != nil {
		panic(err)
	}
	// The texts are those of values that were received: decoding makes an empty bytes value another one than building it.
	received, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(request)
	if err != nil {
		panic(err)
	}
	spans = received.ResourceSpans().At(0).ScopeSpans().At(0).Spans()
	for _, span := range spans.All() {
		value, _ := span.Attributes().Get("v")
		texts[span.Name()] = value.AsString()
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", " ")
	if err := out.Encode(corpus{request, texts}); err != nil {
		panic(err)
	}
}
