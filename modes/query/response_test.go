package query

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	r, err := Parse(Answer{200, "application/json", []byte(`{"status":"success","data":{"resultType":"vector","result":[]},"warnings":["w"],"infos":["i","j"]}`)})
	require.NoError(t, err)
	require.Equal(t, []string{"w"}, r.Warnings)
	require.Equal(t, []string{"i", "j"}, r.Infos)
	require.JSONEq(t, `{"resultType":"vector","result":[]}`, string(r.Data))
}

func TestErrorOfTheServer(t *testing.T) {
	f := func(want string, status int, body string) {
		t.Helper()
		_, err := Parse(Answer{status, "application/json", []byte(body)})
		var said *ServerError
		require.ErrorAs(t, err, &said)
		require.EqualError(t, err, want)
	}
	f("bad_data: parse error", 400, `{"status":"error","errorType":"bad_data","error":"parse error"}`)
	f("timeout: too slow", 503, `{"status":"error","errorType":"timeout","error":"too slow","data":{}}`)
	f(": ", 200, `{"status":"error"}`)
}

func TestAnswerThatIsNone(t *testing.T) {
	f := func(want string, status int, kind, body string) {
		t.Helper()
		_, err := Parse(Answer{status, kind, []byte(body)})
		require.ErrorContains(t, err, want)
		require.Less(t, len(err.Error()), 500)
		var said *ServerError
		require.False(t, errors.As(err, &said))
	}
	f(`this is no answer of Prometheus' HTTP API: status 200, text/html: "<html>\x1b[31m"`, 200, "text/html", "\n<html>\x1b[31m")
	f(`status 500, no content type: ""`, 500, "", "")
	f(`status 404, text/plain: "404 page not found"`, 404, "text/plain", "404 page not found\n")
	f(`status 502, text/html: "`+strings.Repeat("x", 200)+`..."`, 502, "text/html", strings.Repeat("x", 1<<20))
	f(`status 200, application/json: "{}"`, 200, "application/json", "{}")
	f(`status 200, application/json: "{\"status\":\"success\"}"`, 200, "application/json", `{"status":"success"}`)
	f(`status 503, application/json`, 503, "application/json", `{"status":"success","data":{}}`)
	f("cut off or damaged, 21 bytes: unexpected end of JSON", 200, "application/json", `{"status":"success","`)
	f("cut off or damaged, 3 bytes: invalid character", 200, "application/json; charset=utf-8", "\x1b[m")
}

func TestResultThatIsNone(t *testing.T) {
	f := func(want, data string) {
		t.Helper()
		r := Response{Data: []byte(data)}
		var b bytes.Buffer
		require.ErrorContains(t, r.WriteTable(&b, nil, Screen{}), want)
		require.ErrorContains(t, r.WriteCSV(&b), want)
		require.Empty(t, b.String())
	}
	f("read the result", `[]`)
	f(`unknown type "streams"`, `{"resultType":"streams","result":[]}`)
	f(`unknown type ""`, `{}`)
	f("read the result", `{"resultType":"vector","result":{}}`)
	f("is no sample", `{"resultType":"vector","result":[{"value":1}]}`)
	f("is no sample", `{"resultType":"vector","result":[{"value":[1]}]}`)
	f("is no sample", `{"resultType":"vector","result":[{"value":[1,2]}]}`)
	f(`"x" is no value of a sample`, `{"resultType":"vector","result":[{"value":[1,"x"]}]}`)
	f(`"1e300" is no time of a sample`, `{"resultType":"vector","result":[{"value":[1e300,"1"]}]}`)
	f(`is no time of a sample`, `{"resultType":"vector","result":[{"value":["1","1"]}]}`)
	f(`is no time of a sample`, `{"resultType":"matrix","result":[{"values":[[null,"1"]]}]}`)
	f("is no sample", `{"resultType":"scalar","result":"x"}`)
	f("read the result", `{"resultType":"string","result":{}}`)
	f("read the result", `{"resultType":"vector","result":[{"metric":{"a":1}}]}`)
	f("read the result", `{"resultType":"vector","result":[{"histogram":[1,"x"]}]}`)
}

// A server that lies makes neither a panic nor anything that a terminal would obey.
func FuzzResponse(f *testing.F) {
	f.Add(200, "application/json", []byte(`{"status":"success","data":`+hostile+`,"warnings":["\u001b[31m"]}`))
	f.Add(200, "application/json", []byte(`{"status":"success","data":`+string(matrix(Range{hour.Start, hour.Start.Add(time.Minute), 20 * time.Second}, matrixSeries{named("x", "a"), wave}))+`}`))
	f.Add(200, "application/json", []byte(`{"status":"success","data":{"resultType":"matrix","result":[{"values":[[1704110400,"1e308"],[1704110401,"-1e308"],[1704110401,"NaN"]]},{}]}}`))
	f.Add(200, "application/json", []byte(`{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}`))
	f.Add(200, "application/json", []byte(`{"status":"success","data":{"resultType":"string","result":[1,"\u009b1"]}}`))
	f.Add(200, "application/json", []byte(`{"status":"success","data":{"resultType":"vector","result":[null,{"histogram":[1,{"count":"\u001b"}]}]}}`))
	f.Add(400, "", []byte(`{"status":"error","error":"x"}`))
	ranges := []*Range{nil, &hour, {hour.Start, hour.Start, time.Minute}, {hour.Start, hour.Start.Add(time.Second), time.Nanosecond}}
	f.Fuzz(func(t *testing.T, status int, kind string, body []byte) {
		r, err := Parse(Answer{status, kind, body})
		if err != nil {
			return
		}
		for _, of := range ranges {
			var b bytes.Buffer
			_ = r.WriteTable(&b, of, Screen{Width: 80})
			_ = r.WriteCSV(&b)
			_ = r.WriteJSON(&b)
			requireHarmless(t, b.String())
		}
	})
}
