// Asks a running interface what Grafana's datasource would, with the driver it uses, and prints one line per check.
// Arguments: address (host:port), key ("" for none), compression (none, gzip, deflate, br, lz4 or zstd).
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

var methods = map[string]clickhouse.CompressionMethod{
	"none": clickhouse.CompressionNone, "gzip": clickhouse.CompressionGZIP, "deflate": clickhouse.CompressionDeflate,
	"br": clickhouse.CompressionBrotli, "lz4": clickhouse.CompressionLZ4, "zstd": clickhouse.CompressionZSTD,
}

const types = `SELECT
	map('a', 1)::Map(LowCardinality(String), UInt8), ['x', 'y']::Array(LowCardinality(String)),
	[map('k', 'v')]::Array(Map(String, String)), 12.345::Decimal(18, 3),
	'61f0c404-5cb3-11e7-907b-a6006ad3dba0'::UUID, 'b'::Enum8('a' = 1, 'b' = 2), (1, 'z')::Tuple(UInt8, String),
	'2026-01-02 03:04:05.123456789'::DateTime64(9, 'UTC'), NULL::Nullable(String), 7::Nullable(Int64),
	[1.5, 2.5]::Array(Float32), [(1, 'n')]::Nested(a UInt8, b String), true, '2026-01-02'::Date,
	'{"a": {"b": 42}}'::JSON(a.b Int64), 'x'::FixedString(1), '1.2.3.4'::IPv4, 170141183460469231731687303715884105727::Int128
FROM numbers(3)`

func main() {
	conn, err := clickhouse.Open(&clickhouse.Options{
		Protocol:    clickhouse.HTTP,
		Addr:        []string{os.Args[1]},
		Auth:        clickhouse.Auth{Username: "default", Password: os.Args[2]},
		Compression: &clickhouse.Compression{Method: methods[os.Args[3]], Level: 3},
		ReadTimeout: 60 * time.Second,
	})
	must(err)
	defer conn.Close()
	ctx := context.Background()

	must(conn.Ping(ctx))
	version, err := conn.ServerVersion()
	must(err)
	fmt.Println("ping, server", version.Version)

	check("types", everyType(ctx, conn))
	check("blocks", manyBlocks(ctx, conn))
	check("parameters", parameters(ctx, conn))
	check("empty", empty(ctx, conn))
	check("schema", schema(ctx, conn))
	check("error", typedError(ctx, conn, "SELECT * FROM nowhere", 60))
	check("refusal", typedError(ctx, conn, "SELECT file('x')", 497))
	check("error midway", midway(ctx, conn))
	check("after errors", parameters(ctx, conn))
	check("cancel", cancelled(ctx, conn))
	check("after cancel", parameters(ctx, conn))
}

func everyType(ctx context.Context, conn driver.Conn) error {
	rows, err := conn.Query(ctx, types)
	if err != nil {
		return err
	}
	defer rows.Close()
	count := 0
	for rows.Next() {
		values := make([]any, 0)
		for _, column := range rows.ColumnTypes() {
			values = append(values, reflect.New(column.ScanType()).Interface())
		}
		if err := rows.Scan(values...); err != nil {
			return err
		}
		tags := reflect.ValueOf(values[0]).Elem().Interface().(map[string]uint8)
		when := reflect.ValueOf(values[7]).Elem().Interface().(time.Time)
		if tags["a"] != 1 || when.Nanosecond() != 123456789 {
			return fmt.Errorf("wrong values: %v %v", tags, when)
		}
		count++
	}
	return expect(count, 3, rows.Err())
}

func manyBlocks(ctx context.Context, conn driver.Conn) error {
	rows, err := conn.Query(ctx, "SELECT number, toString(number) FROM numbers(200000) ORDER BY number")
	if err != nil {
		return err
	}
	defer rows.Close()
	count := 0
	for rows.Next() {
		var number uint64
		var text string
		if err := rows.Scan(&number, &text); err != nil {
			return err
		}
		if number != uint64(count) || text != fmt.Sprint(count) {
			return fmt.Errorf("row %d is %d, %q", count, number, text)
		}
		count++
	}
	return expect(count, 200000, rows.Err())
}

func parameters(ctx context.Context, conn driver.Conn) error {
	var text string
	var sum uint64
	hostile := "x' OR 1 -- \\ \"ü\" \n"
	bound := clickhouse.Context(ctx, clickhouse.WithParameters(clickhouse.Parameters{"s": "o'clock", "n": "40"}))
	if err := conn.QueryRow(bound, "SELECT {s:String}, {n:UInt64} + 2").Scan(&text, &sum); err != nil {
		return err
	}
	if text != "o'clock" || sum != 42 {
		return fmt.Errorf("bound: %q, %d", text, sum)
	}
	if err := conn.QueryRow(ctx, "SELECT ?, toUInt64(?)", hostile, 42).Scan(&text, &sum); err != nil {
		return err
	}
	if text != hostile || sum != 42 {
		return fmt.Errorf("written: %q, %d", text, sum)
	}
	return nil
}

func empty(ctx context.Context, conn driver.Conn) error {
	rows, err := conn.Query(ctx, "SELECT number AS n, toString(number) AS t FROM numbers(5) WHERE number > 9")
	if err != nil {
		return err
	}
	defer rows.Close()
	if rows.Next() {
		return errors.New("a row came")
	}
	if got := fmt.Sprint(rows.Columns()); got != "[n t]" {
		return fmt.Errorf("columns are %s", got)
	}
	return rows.Err()
}

func schema(ctx context.Context, conn driver.Conn) error {
	for _, query := range []string{"SHOW DATABASES", "SHOW TABLES", "DESC TABLE system.tables",
		"SELECT name, type, table FROM system.columns", "SELECT name FROM system.functions LIMIT 10"} {
		rows, err := conn.Query(ctx, query)
		if err != nil {
			return fmt.Errorf("%s: %w", query, err)
		}
		for rows.Next() {
		}
		if err := rows.Err(); err != nil {
			return fmt.Errorf("%s: %w", query, err)
		}
		rows.Close()
	}
	return nil
}

func typedError(ctx context.Context, conn driver.Conn, query string, code int32) error {
	rows, err := conn.Query(ctx, query)
	if err == nil {
		rows.Close()
		return errors.New("no error came")
	}
	return hasCode(err, code)
}

// An error behind the first megabytes, when the status has long been 200.
func midway(ctx context.Context, conn driver.Conn) error {
	rows, err := conn.Query(ctx, "SELECT number, throwIf(number = 900000) FROM numbers(1000000)")
	if err == nil {
		defer rows.Close()
		for rows.Next() {
		}
		err = rows.Err()
	}
	if err == nil {
		return errors.New("a short answer passed for a whole one")
	}
	return hasCode(err, 395)
}

func cancelled(ctx context.Context, conn driver.Conn) error {
	soon, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	started := time.Now()
	var count uint64
	err := conn.QueryRow(soon, "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash128(toString(number)))").Scan(&count)
	if !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("after %s: %w", time.Since(started), err)
	}
	return nil
}

func hasCode(err error, code int32) error {
	var exception *clickhouse.Exception
	if !errors.As(err, &exception) {
		return fmt.Errorf("not a ClickHouse error: %w", err)
	}
	if exception.Code != code {
		return fmt.Errorf("code %d, not %d: %w", exception.Code, code, err)
	}
	return nil
}

func expect(count, wanted int, err error) error {
	if err == nil && count != wanted {
		return fmt.Errorf("%d rows, not %d", count, wanted)
	}
	return err
}

func check(name string, err error) {
	if err != nil {
		fmt.Println(name, "FAILED:", err)
		os.Exit(1)
	}
	fmt.Println(name, "ok")
}

func must(err error) {
	if err != nil {
		fmt.Println("FAILED:", err)
		os.Exit(1)
	}
}
