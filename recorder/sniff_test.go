package recorder

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"strings"
	"testing"
	"unicode/utf16"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

func compress(t *testing.T, w func(io.Writer) io.WriteCloser, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := w(&b)
	_, err := io.WriteString(z, text)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.String()
}

func utf16Text(text string, order func(uint16) []byte) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(text)) {
		b = append(b, order(u)...)
	}
	return string(b)
}

// The error of a body that is no page says what the body is.
func TestSniff(t *testing.T) {
	f := func(contentType, body, want string) {
		t.Helper()
		var p Page
		p.Parse([]byte(body), contentType, ParseLimits{})
		require.EqualError(t, p.Err(), want)
		require.Zero(t, p.Samples())
	}
	page := "# TYPE a gauge\n" + gauges(0, 20)
	const none = "page without a single sample: "
	f(textType, compress(t, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }, page),
		"the body is gzip, but Content-Encoding does not say so")
	for _, level := range []int{zlib.BestSpeed, 5, zlib.BestCompression} {
		f(textType, compress(t, func(w io.Writer) io.WriteCloser {
			z, err := zlib.NewWriterLevel(w, level)
			require.NoError(t, err)
			return z
		}, page), none+"the body is zlib (deflate), but Content-Encoding does not say so")
	}
	f(textType, "\x28\xb5\x2f\xfd\x04\x00", "the body is zstd, but Content-Encoding does not say so")
	f(textType, "\xfd7zXZ\x00\x00\x04", "the body is xz, but Content-Encoding does not say so")
	f(textType, "BZh91AY&SY\x01", "the body is bzip2, but Content-Encoding does not say so")
	f(openType, "\x1f\x8b", "the body is gzip, but Content-Encoding does not say so")

	little := func(u uint16) []byte { return []byte{byte(u), byte(u >> 8)} }
	big := func(u uint16) []byte { return []byte{byte(u >> 8), byte(u)} }
	f(textType, utf16Text("\ufeff"+page, little), none+"the body is UTF-16 text: UTF-8 is read")
	f(textType, utf16Text("\ufeff"+page, big), none+"the body is UTF-16 text: UTF-8 is read")

	f("text/html; charset=utf-8", "<!DOCTYPE html>\n<p>hello\n", `page without a single sample of the content type "text/html; charset=utf-8": the body is HTML`)
	f("", " \n<?xml version=\"1.0\"?><html>", "page without a single sample, and without a content type: the body is HTML")
	f(textType, "<?xml version=\"1.0\"?><a/>", none+"the body is XML")
	f(textType, "{\"status\": \"ok\"}\n", none+"the body is JSON")
	f(textType, "[1,\n2]", none+"the body is JSON")
	f("application/json", "{\n}", `page without a single sample of the content type "application/json": the body is JSON`)

	var delimited bytes.Buffer
	require.NoError(t, expfmt.NewEncoder(&delimited, expfmt.NewFormat(expfmt.TypeProtoDelim)).Encode(&dto.MetricFamily{
		Name: proto.String("a"), Type: dto.MetricType_GAUGE.Enum(), Metric: []*dto.Metric{{Gauge: &dto.Gauge{Value: proto.Float64(1)}}}}))
	f(textType, delimited.String(), none+"the body is protobuf: the text format and OpenMetrics are read")
	f("application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited", "\x01\x02",
		`page without a single sample of the content type "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited": the body is protobuf: the text format and OpenMetrics are read`)

	f("", "", "page without a single sample, and without a content type: the body is empty")
	f("text/html", " \n", `page without a single sample of the content type "text/html": the body is empty`)
	f(openType, "", none+"the body is empty")
	f(textType, "x^x", none+`line 1: strconv.ParseFloat: parsing "^x": invalid syntax while parsing: "x^x"`)

	many := strings.Repeat("<br>\n", defaultBadLines+1)
	f("text/html", many, "page with more than 10000 bad lines: the body is HTML")
}

// A page is not refused because it begins with bytes that another format begins with, too.
func TestSniffLeavesPagesAlone(t *testing.T) {
	f := func(body string) {
		t.Helper()
		p := textPage(t, body)
		require.Equal(t, 1, p.Samples())
	}
	f("BZh9 1\n")
	f("xa 1\n")
	f("{\"a\"} 1\n")
	f("\ufeffa 1\n")
	f("\ufeff# TYPE a gauge\na 1\n")
	require.Zero(t, textPage(t, "").Samples(), "a text page may be empty")

	p := textPage(t, "\ufeffa 1\n")
	before := p.template
	p.Parse([]byte("\ufeffa 2\n"), textType, ParseLimits{})
	require.Same(t, before, p.template, "and is not parsed again")
}
