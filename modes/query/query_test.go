package query

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the files of testdata")

func golden(t *testing.T, name, got string) {
	t.Helper()
	name = filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(got), 0o644))
	}
	want, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// noon is 2024-01-01T12:00:00Z.
const noon = 1_704_110_400

// hour is an hour from noon on, in 241 steps.
var hour = Range{time.Unix(noon, 0), time.Unix(noon+3600, 0), 15 * time.Second}

// matrix returns the data of series whose values at each step are those of functions; a NaN is
// left out.
func matrix(r Range, series ...matrixSeries) json.RawMessage {
	type any2 [2]any
	type one struct {
		Metric map[string]string `json:"metric"`
		Values []any2            `json:"values"`
	}
	var all []one
	for _, s := range series {
		o := one{Metric: s.labels}
		for i := range r.steps() {
			if v := s.value(int(i)); !math.IsNaN(v) {
				at := r.Start.Add(time.Duration(i) * r.Step)
				o.Values = append(o.Values, any2{float64(at.UnixMilli()) / 1000, numberText(v)})
			}
		}
		all = append(all, o)
	}
	data, err := json.Marshal(map[string]any{"resultType": "matrix", "result": all})
	if err != nil {
		panic(err)
	}
	return data
}

type matrixSeries struct {
	labels map[string]string
	value  func(step int) float64
}

func named(name, node string) map[string]string {
	return map[string]string{"__name__": name, "node_role": "data", "node_id": node}
}

func wave(step int) float64 { return 10 + 5*math.Sin(float64(step)/30) }

var hostile = `{"resultType":"vector","result":[
	{"metric":{"__name__":"x","job":"a","path":"tab\tline\nescape\u001b[31m"},"value":[1704110400.5,"1"]},
	{"metric":{"__name__":"x","job":"a","path":"c1 \u009b31m del \u007f rtl \u202e"},"value":[1704110400.5,"NaN"]},
	{"metric":{"__name__":"x","job":"a","path":"日本語","größe\u001b":"👍"},"value":[1704110400.5,"-0.1"]},
	{"metric":{"__name__":"x","job":"a","path":"e\u0301 accent","value":"v","time":"t"},"value":[1704110400.5,"1.5e+300"]},
	{"metric":{"__name__":"x","job":"a","path":"` + strings.Repeat("long", 30) + `"},"value":[1704110400.5,"+Inf"]},
	{"metric":{"__name__":"x","job":"a","path":"=cmd,\"quoted\""},"value":[1704110400.5,"12345678901234567890"]}]}`

func TestForms(t *testing.T) {
	f := func(name string, data json.RawMessage, of *Range) {
		t.Helper()
		r := Response{Data: data}
		var table, color, rows, text bytes.Buffer
		require.NoError(t, r.WriteTable(&table, of, Screen{Width: 80}))
		require.NoError(t, r.WriteCSV(&rows))
		require.NoError(t, r.WriteJSON(&text))
		golden(t, name+".txt", table.String())
		golden(t, name+".csv", rows.String())
		for _, form := range []string{table.String(), rows.String(), text.String()} {
			requireHarmless(t, form)
		}
		require.JSONEq(t, string(data), text.String())
		require.Equal(t, 1, strings.Count(text.String(), "\n"))

		require.NoError(t, r.WriteTable(&color, of, Screen{Width: 80, Color: true}))
		if of == nil {
			require.Equal(t, table.String(), color.String())
		}
	}
	f("vector", json.RawMessage(`{"resultType":"vector","result":[
		{"metric":{"__name__":"fodc_agent_up","node_id":"data-0","node_role":"data","pod_name":"p"},"value":[1704110400,"1"]},
		{"metric":{"__name__":"fodc_agent_up","node_id":"data-10","node_role":"data"},"value":[1704110400,"0.25"]},
		{"metric":{"__name__":"fodc_agent_up","node_id":"x","node_role":"data","pod_name":"q"},"value":[1704110400,"123456789.125"]}]}`), nil)
	f("one", json.RawMessage(`{"resultType":"vector","result":[{"metric":{"node_id":"a"},"value":[1704110400.123,"1e-07"]}]}`), nil)
	f("aggregate", json.RawMessage(`{"resultType":"vector","result":[{"metric":{},"value":[1704110400.123,"42"]}]}`), nil)
	f("dotted", json.RawMessage(`{"resultType":"vector","result":[{"metric":{"__name__":"a.b","c.d":"\"\\"},"value":[1704110400,"1"]}]}`), nil)
	f("hostile", json.RawMessage(hostile), nil)
	f("none", json.RawMessage(`{"resultType":"vector","result":[]}`), nil)
	f("none-range", json.RawMessage(`{"resultType":"matrix","result":[]}`), &hour)
	f("scalar", json.RawMessage(`{"resultType":"scalar","result":[1704110400.5,"-Inf"]}`), nil)
	f("string", json.RawMessage(`{"resultType":"string","result":[1704110400.5,"a\n\u001b[0mb"]}`), nil)
	f("histogram", json.RawMessage(`{"resultType":"vector","result":[{"metric":{"a":"1"},"histogram":[1704110400,{"count":"3","sum":"4.5","buckets":[[0,"0","1","3"]]}]}]}`), nil)
	f("histograms", json.RawMessage(`{"resultType":"matrix","result":[{"metric":{"a":"1"},"values":[[1704110415,"1"]],"histograms":[[1704110400,{"count":"3","sum":"4.5"}]]}]}`), &hour)
	f("samples", json.RawMessage(`{"resultType":"matrix","result":[{"metric":{"__name__":"x","a":"1"},"values":[[1704110400.001,"1"],[1704110410.001,"2.5"]]},{"metric":{"__name__":"x","a":"2"},"values":[]}]}`), nil)
	f("steps", json.RawMessage(`{"resultType":"matrix","result":[{"metric":{"a":"1"},"values":[[1704110400,"1"]]},{"metric":{"a":"2"},"values":[[1704110400,"2"]]}]}`), &Range{hour.Start, hour.Start, time.Minute})
}

func TestCharts(t *testing.T) {
	f := func(name string, of Range, s Screen, series ...matrixSeries) {
		t.Helper()
		r := Response{Data: matrix(of, series...)}
		var b bytes.Buffer
		require.NoError(t, r.WriteTable(&b, &of, s))
		if !s.Color {
			requireHarmless(t, b.String())
		}
		for _, line := range strings.Split(b.String(), "\n")[1:] {
			require.LessOrEqual(t, widthOf(stripColors(line)), max(s.Width, 40), line)
		}
		golden(t, name+".txt", b.String())
	}
	narrow := Screen{Width: 80}
	peaks := func(step int) float64 {
		if step == 77 {
			return 42
		}
		return wave(step)
	}
	gaps := func(step int) float64 {
		if step/40%2 == 1 {
			return math.NaN()
		}
		return wave(step) * 2
	}
	f("chart-peak", hour, narrow, matrixSeries{named("x", "a"), peaks})
	f("chart-gaps", hour, narrow, matrixSeries{named("x", "a"), wave}, matrixSeries{named("x", "b"), gaps})
	f("chart-color", hour, Screen{Width: 80, Color: true}, matrixSeries{named("x", "a"), wave}, matrixSeries{named("x", "b"), gaps})
	f("chart-constant", hour, narrow, matrixSeries{named("x", "a"), func(int) float64 { return 3 }})
	f("chart-behind", hour, narrow, matrixSeries{named("x", "a"), wave}, matrixSeries{named("x", "b"), func(step int) float64 { return wave(step) + 0.001 }},
		matrixSeries{named("x", "c"), gaps}, matrixSeries{named("x", "d"), gaps}, matrixSeries{named("x", "none"), func(int) float64 { return math.Inf(1) }})
	f("chart-zero", hour, narrow, matrixSeries{named("x", "a"), func(int) float64 { return 0 }})
	f("chart-infinite", hour, narrow, matrixSeries{named("x", "a"), func(step int) float64 {
		switch step / 60 {
		case 1:
			return math.Inf(1)
		case 2:
			return math.Inf(-1)
		}
		return wave(step)
	}})
	f("chart-only-infinite", hour, narrow, matrixSeries{named("x", "a"), func(int) float64 { return math.Inf(1) }})
	f("chart-points", Range{hour.Start, hour.Start.Add(10 * time.Minute), time.Minute}, narrow,
		matrixSeries{named("x", "alone"), func(step int) float64 { return []float64{math.NaN(), 1}[step%2] }},
		matrixSeries{named("x", "last"), func(step int) float64 { return []float64{2, math.NaN()}[min(10-step, 1)] }},
		matrixSeries{named("x", "line"), func(step int) float64 { return float64(step) }})
	f("chart-great", hour, narrow, matrixSeries{named("x", "a"), func(step int) float64 { return float64(step-120) * 1e306 }})
	f("chart-small", hour, narrow, matrixSeries{named("x", "a"), func(step int) float64 { return float64(step) * 5e-324 }})
	f("chart-close", hour, narrow, matrixSeries{named("x", "a"), func(step int) float64 { return 1e15 + float64(step)/1000 }})
	f("chart-days", Range{hour.Start, hour.Start.Add(72 * time.Hour), 20 * time.Minute}, narrow, matrixSeries{named("x", "a"), wave})
	f("chart-tiny-screen", hour, Screen{Width: 1}, matrixSeries{named("x", "a"), wave})
	f("chart-wide-screen", hour, Screen{Width: 120}, matrixSeries{named("x", "a"), wave})
	var many []matrixSeries
	for i := range 11 {
		many = append(many, matrixSeries{named("x", fmt.Sprintf("data-%d", i)), func(step int) float64 { return wave(step) + float64(6*i) }})
	}
	f("chart-many", hour, narrow, many...)
}

func stripColors(line string) string {
	for {
		from := strings.Index(line, "\x1b[")
		if from < 0 {
			return line
		}
		line = line[:from] + line[from+strings.Index(line[from:], "m")+1:]
	}
}

// requireHarmless fails the test if a terminal would do anything but show the text.
func requireHarmless(t *testing.T, text string) {
	t.Helper()
	for i, r := range text {
		if r != '\n' && (r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u202e') {
			t.Fatalf("%U at byte %d of %q", r, i, text)
		}
	}
}

// A CSV file has no column twice, and what a program reads of it is what was written.
func TestColumnsOfCSV(t *testing.T) {
	f := func(want string, names ...string) {
		t.Helper()
		require.Equal(t, want, strings.Join(columnNames(names), " "))
	}
	f("")
	f("__name__ a", "__name__", "a")
	f("a exported_time exported_value", "a", "time", "value")
	f("exported_time exported_exported_time", "exported_time", "time")
	var b bytes.Buffer
	require.NoError(t, (&Response{Data: json.RawMessage(hostile)}).WriteCSV(&b))
	rows, err := csv.NewReader(&b).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 7)
	require.Equal(t, []string{"2024-01-01T12:00:00.500Z", "12345678901234567000", "x", "", "a", `=cmd,"quoted"`, "", ""}, rows[6])
}

func TestNumbers(t *testing.T) {
	f := func(v float64, full, short string) {
		t.Helper()
		require.Equal(t, full, numberText(v))
		require.Equal(t, short, shortNumber(v, shortDigits))
	}
	f(0, "0", "0")
	f(1, "1", "1")
	f(-1.5, "-1.5", "-1.5")
	f(math.Nextafter(0.3, 1), "0.30000000000000004", "0.3")
	f(1234567, "1234567", "1234570")
	f(1704110400.123, "1704110400.123", "1704110000")
	f(9.9999999e14, "999999990000000", "1e+15")
	f(1e21, "1e+21", "1e+21")
	f(123456789e15, "1.23456789e+23", "1.23457e+23")
	f(0.00001234567, "0.00001234567", "0.0000123457")
	f(1e-7, "1e-07", "1e-07")
	f(math.MaxFloat64, "1.7976931348623157e+308", "1.79769e+308")
	f(5e-324, "5e-324", "4.94066e-324")
	f(math.NaN(), "NaN", "NaN")
	f(math.Inf(1), "+Inf", "+Inf")
	f(math.Inf(-1), "-Inf", "-Inf")
}

func TestWidths(t *testing.T) {
	f := func(want int, text string) {
		t.Helper()
		require.Equal(t, want, widthOf(text), text)
	}
	f(0, "")
	f(3, "abc")
	f(2, "éü")
	f(1, "e\u0301")
	f(6, "日本語")
	f(2, "👍")
	f(2, "ﾊﾝ") // halfwidth
	f(2, "Ａ")  // fullwidth
}

func TestCells(t *testing.T) {
	f := func(want, text string) {
		t.Helper()
		require.Equal(t, want, cellText(text))
		require.LessOrEqual(t, widthOf(cellText(text)), maxCellWidth)
	}
	f("", "")
	f(strings.Repeat("x", 80), strings.Repeat("x", 80))
	f(strings.Repeat("x", 79)+"…", strings.Repeat("x", 81))
	f(strings.Repeat("日", 39)+"…", strings.Repeat("日", 41))
	f(strings.Repeat("日", 40), strings.Repeat("日", 40))
	f(strings.Repeat("x", 79)+"…", strings.Repeat("x", 1<<20))
	f(`a\u001bb`, "a\x1bb")
	f(`a\ufffdb`, "a\xffb")
}

// The document shows what is printed.
func TestDocumentShowsWhatIsPrinted(t *testing.T) {
	doc, err := os.ReadFile("../../docs/querying.md")
	require.NoError(t, err)
	f := func(of *Range, data json.RawMessage) {
		t.Helper()
		var b bytes.Buffer
		require.NoError(t, (&Response{Data: data}).WriteTable(&b, of, Screen{Width: 80}))
		shown := strings.ReplaceAll("    "+strings.ReplaceAll(strings.TrimSuffix(b.String(), "\n"), "\n", "\n    "), "\n    \n", "\n\n")
		require.Contains(t, string(doc), shown+"\n", "docs/querying.md does not show\n%s", shown)
	}
	f(nil, json.RawMessage(`{"resultType":"vector","result":[
		{"metric":{"__name__":"node_filesystem_avail_bytes","mountpoint":"/data","node_role":"data","node_id":"data-0","pod_name":"pod-0"},"value":[1777870800,"13958643712"]},
		{"metric":{"__name__":"node_filesystem_avail_bytes","mountpoint":"/data","node_role":"data","node_id":"data-1","pod_name":"pod-1"},"value":[1777870800,"209715200"]}]}`))
	end := time.Unix(1777870800, 0)
	of := Range{end.Add(-time.Hour), end, 15 * time.Second}
	f(&of, matrix(of, matrixSeries{map[string]string{"node_id": "data-0"}, func(step int) float64 {
		return 0.3 + 0.1*math.Sin(float64(step)/12) + 0.05*math.Sin(float64(step)/4)
	}}, matrixSeries{map[string]string{"node_id": "data-1"}, func(step int) float64 {
		switch {
		case step > 130:
			return math.NaN()
		case step > 110:
			return 1.2 - 0.5*math.Exp(float64(110-step)/2)
		}
		return 0.2 + 0.05*math.Sin(float64(step)/9)
	}}))
}
