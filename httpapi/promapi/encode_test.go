package promapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/stretchr/testify/require"
)

func encoded(t testing.TB, v any) string {
	t.Helper()
	var b bytes.Buffer
	e := encoder{yield: func() {}, w: &b}
	require.NoError(t, e.value(v))
	require.NoError(t, e.flush())
	return b.String()
}

func TestEncode(t *testing.T) {
	f := func(v any, want string) {
		t.Helper()
		require.Equal(t, want, encoded(t, v))
	}
	up := labels.FromStrings("__name__", "up", "a", "<&>\u2028\"\\\n\r\t\x01\xff")
	f(promql.Vector(nil), `[]`)
	f(promql.Matrix(nil), `[]`)
	f(promql.Vector{{Metric: up, T: 1435781451781, F: 1}, {T: -1, F: math.Inf(-1)}},
		`[{"metric":{"__name__":"up","a":"<&>`+"\u2028"+`\"\\\n\r\t\u0001\ufffd"},"value":[1435781451.781,"1"]},{"metric":{},"value":[-0.001,"-Inf"]}]`)
	f(promql.Matrix{{Floats: []promql.FPoint{{T: 0, F: math.NaN()}, {T: 1010, F: 1e-7}, {T: 1100, F: 1e21}, {T: -61001, F: -0.25}}}, {}},
		`[{"metric":{},"values":[[0,"NaN"],[1.010,"1e-07"],[1.100,"1e+21"],[-61.001,"-0.25"]]},{"metric":{}}]`)
	f(promql.Scalar{T: 1000, V: 1e21}, `[1,"1000000000000000000000"]`)
	f(promql.String{T: 1500, V: "a\"b"}, `[1.5,"a\"b"]`)
	f([]labels.Labels{up.MatchLabels(true, "__name__"), labels.EmptyLabels()}, `[{"__name__":"up"},{}]`)
	f([]string(nil), `[]`)
	f([]string{"a", "<\u2028"}, `["a","\u003c\u2028"]`)
	f(map[string]any{"b": 1, "a": nil}, `{"a":null,"b":1}`)

	h := &histogram.FloatHistogram{
		Count: 10, Sum: 1.5, ZeroCount: 2, ZeroThreshold: 0.5,
		PositiveSpans: []histogram.Span{{Offset: 1, Length: 3}}, PositiveBuckets: []float64{3, 0, 1},
		NegativeSpans: []histogram.Span{{Offset: 1, Length: 1}}, NegativeBuckets: []float64{4},
	}
	f(promql.Vector{{T: 1000, H: h}},
		`[{"metric":{},"histogram":[1,{"count":"10","sum":"1.5","buckets":[[1,"-2","-1","4"],[3,"-0.5","0.5","2"],[0,"1","2","3"],[0,"4","8","1"]]}]}]`)
	f(promql.Matrix{{Floats: []promql.FPoint{{T: 1000, F: 1}}, Histograms: []promql.HPoint{{T: 2000, H: &histogram.FloatHistogram{}}}}},
		`[{"metric":{},"values":[[1,"1"]],"histograms":[[2,{"count":"0","sum":"0"}]]}]`)
}

// A client that has gone costs no more than what was encoded until that was known.
func TestEncodeInPieces(t *testing.T) {
	m := promql.Matrix{{Floats: make([]promql.FPoint, 100_000)}}
	var sizes []int
	e := encoder{yield: func() {}, w: writerFunc(func(p []byte) (int, error) {
		sizes = append(sizes, len(p))
		return len(p), nil
	})}
	require.NoError(t, e.value(m))
	require.NoError(t, e.flush())
	require.Greater(t, len(sizes), 5)
	for _, n := range sizes {
		require.Less(t, n, pieceBytes+100)
	}

	gone, calls := errors.New("gone"), 0
	e = encoder{yield: func() {}, w: writerFunc(func([]byte) (int, error) { calls++; return 0, gone })}
	require.NoError(t, e.value(m))
	require.ErrorIs(t, e.flush(), gone)
	require.Equal(t, 1, calls)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// FuzzEncode compares with encoding/json.
func FuzzEncode(f *testing.F) {
	f.Add("up", "a\xffb", int64(1435781451781), 1.5)
	f.Add("\u2028<>&", "\x00\x1f\x7f\"\\", int64(math.MinInt64), math.NaN())
	f.Fuzz(func(t *testing.T, name, value string, ms int64, v float64) {
		l := labels.FromStrings("a"+name, value)
		text := encoded(t, promql.Vector{{Metric: l, T: ms, F: v}})
		require.True(t, json.Valid([]byte(text)), text)
		var got []struct {
			Metric map[string]string
			Value  []json.RawMessage
		}
		require.NoError(t, json.Unmarshal([]byte(text), &got))
		utf := func(s string) string {
			b, err := json.Marshal(s)
			require.NoError(t, err)
			var back string
			require.NoError(t, json.Unmarshal(b, &back))
			return back
		}
		require.Equal(t, map[string]string{utf("a" + name): utf(value)}, got[0].Metric)
		var seconds float64
		require.NoError(t, json.Unmarshal(got[0].Value[0], &seconds))
		require.InDelta(t, float64(ms)/1000, seconds, math.Abs(float64(ms)/1000)*1e-15)
		require.False(t, strings.ContainsAny(string(got[0].Value[0]), "eE"))

		var number string
		require.NoError(t, json.Unmarshal(got[0].Value[1], &number))
		back, err := strconv.ParseFloat(number, 64)
		require.NoError(t, err)
		require.True(t, back == v || math.IsNaN(back) && math.IsNaN(v), "%s is not %v", number, v)
	})
}
