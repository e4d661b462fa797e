package httpapi

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

func TestBudget(t *testing.T) {
	const limit = 5 * time.Second
	f := func(header string, want time.Duration) {
		t.Helper()
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		if header != "absent" {
			r.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", header)
		}
		require.Equal(t, want, budget(r, limit), header)
	}
	f("absent", limit)
	f("3", 2500*time.Millisecond)
	f("5.5", limit)
	f("2.25", 1750*time.Millisecond)
	f("10", limit)
	f("1", 500*time.Millisecond)
	f("0.4", 200*time.Millisecond)
	for _, garbage := range []string{"", "x", "0", "-1", "NaN", "+Inf", "-Inf", "1e300", "1e10", "3s"} {
		f(garbage, limit)
	}
}

func TestNamed(t *testing.T) {
	f := func(accept string, want float64) {
		t.Helper()
		require.Equal(t, want, acceptWeight(accept, contentJSON), accept)
	}
	f("", 0)
	f("application/json", 1)
	f("Application/JSON; charset=utf-8", 1)
	f("text/html, application/json;q=0.5", 0.5)
	f("application/json;q=0.2, application/json;q=0.7", 0.7)
	f("application/json;q=0", 0)
	f("application/json;q=x", 0)
	f("*/*", 0)
	f("application/*", 0)
	f("application/json-patch", 0)
	f(";;;,,", 0)
}

// paramsFor returns the params of a query string, which is escaped as in a URL.
func paramsFor(query string) (params, error) {
	return paramsOf(&http.Request{URL: &url.URL{RawQuery: query}})
}

func TestParams(t *testing.T) {
	p, err := paramsFor("node_id=b&node_id=a&node_id=b&node_id=&role=x%2Cy&pod_name=p&name[]=m2&name%5B%5D=m1&whatever=1")
	require.NoError(t, err)
	require.Equal(t, messages.NodeFilter{NodeIDs: []string{"a", "b"}, Roles: []string{"x,y"}, PodNames: []string{"p"}}, p.filter())
	names, err := p.names()
	require.NoError(t, err)
	require.Equal(t, []string{"m1", "m2"}, names)

	p, err = paramsFor("node_id=&role=")
	require.NoError(t, err)
	require.Empty(t, p.filter().NodeIDs)
	require.Empty(t, p.filter().Roles)

	_, err = paramsFor("node_id=%zz")
	require.EqualError(t, err, `query string "node_id=%zz": invalid URL escape "%zz"`)
	_, err = paramsFor("a;b=" + strings.Repeat("x", 200))
	require.ErrorContains(t, err, "xxx...\": invalid semicolon separator in query")
}

func TestFlag(t *testing.T) {
	f := func(query string, want bool, wantErr string) {
		t.Helper()
		p, err := paramsFor(query)
		require.NoError(t, err)
		got, err := p.flag("strict")
		if wantErr != "" {
			require.EqualError(t, err, wantErr)
			return
		}
		require.NoError(t, err)
		require.Equal(t, want, got, query)
	}
	f("", false, "")
	f("strict=", false, "")
	f("strict=1", true, "")
	f("strict=true", true, "")
	f("strict=0", false, "")
	f("strict=false", false, "")
	f("strict=1&strict=1", true, "")
	f("strict=yes", false, `strict "yes": allowed are 1, 0, true, false`)
	f("strict=1&strict=0", false, `strict is given twice: "0" and "1"`)
}

func TestFormat(t *testing.T) {
	f := func(own, query, accept, want string) {
		t.Helper()
		p, err := paramsFor(query)
		require.NoError(t, err)
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept", accept)
		other := formatJSON
		if own == formatJSON {
			other = formatText
		}
		got, err := p.format(httptest.NewRecorder(), r, own, other)
		require.NoError(t, err)
		require.Equal(t, want, got, "%s %s", query, accept)
	}
	for _, own := range []string{formatText, formatJSON} {
		f(own, "", "", own)
		f(own, "", "*/*", own)
		f(own, "", "text/html,application/xhtml+xml,*/*;q=0.8", own)
		f(own, "format=json", "text/plain", formatJSON)
		f(own, "format=text", "application/json", formatText)
		f(own, "", "application/json", formatJSON)
		f(own, "", "text/plain", formatText)
		f(own, "", "application/json;q=0.3, text/plain", formatText)
		f(own, "", "application/json, text/plain;q=0.3", formatJSON)
	}
	f(formatText, "", "application/json, text/plain, */*", formatJSON)
	f(formatText, "", "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1", formatText)
}

// Names are sent to every agent: one that gRPC cannot encode would end their streams.
func TestNamesThatNoFamilyCanHave(t *testing.T) {
	f := func(query, want string) {
		t.Helper()
		p, err := paramsFor(query)
		require.NoError(t, err)
		_, err = p.names()
		require.ErrorContains(t, err, want)
		var bad *messages.Error
		require.ErrorAs(t, err, &bad)
		require.Equal(t, messages.ErrBadData, bad.Kind)
	}
	f("name[]=%ff", "not valid UTF-8")
	f("name[]=up&name[]=a%00b", "NUL")
	f("name[]="+strings.Repeat("n", messages.MaxNameBytes+1), "1025 bytes, at most 1024 are allowed")
	var many strings.Builder
	for i := range messages.MaxSelectedNames + 1 {
		fmt.Fprintf(&many, "name[]=n%d&", i)
	}
	f(many.String(), "4097 names, at most 4096 are allowed")
}
