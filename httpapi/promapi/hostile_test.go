package promapi

import (
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What these take when nothing bounds it is seconds to years, and gigabytes.
const (
	hostileTimeout = 300 * time.Millisecond
	hostileTook    = 20 * time.Second // on a slow machine
	hostileBytes   = 300 << 20
)

// requireCheap posts a query, checks that it has taken little time and memory, and returns the
// response.
func requireCheap(t *testing.T, h http.Handler, path string, form url.Values) (int, envelope) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begin := time.Now()
	w := get(t, h, path, form)
	took := time.Since(begin)
	runtime.ReadMemStats(&after)
	about := path + "?" + truncated(form.Encode())
	require.Less(t, took, hostileTook, about)
	require.Less(t, int64(after.Sys)-int64(before.Sys), int64(hostileBytes), about)
	return w.Code, envelopeOf(t, w)
}

func TestHostileQueries(t *testing.T) {
	h := serve(New(testConfig(loaded(t))))
	f := func(query string, status int, contains string) {
		t.Helper()
		code, e := requireCheap(t, h, "/api/v1/query", url.Values{"query": {query}})
		require.Equal(t, status, code, "%s: %s", truncated(query), e.Error)
		require.Contains(t, e.Error, contains, truncated(query))
		if status == http.StatusOK {
			return
		}
		require.Equal(t, map[int]string{400: "bad_data", 422: "execution"}[status], e.ErrorType, truncated(query))
	}
	r := strings.Repeat
	const (
		ok       = http.StatusOK
		bad      = http.StatusBadRequest
		exec     = http.StatusUnprocessableEntity
		nesting  = "more than the limit of 4000 parentheses, brackets and operators"
		depth    = "nested more deeply than the limit of 1000"
		samples  = "query processing would load too many samples into memory in query execution"
		made     = "label_replace and label_join may make labels of"
		repeated = "the regular expressions repeat more than the limit of 8192 instructions"
		classes  = "the regular expressions have more than the limit of 16 classes"
		groups   = "the regular expressions have more than the limit of 1048576 instructions times groups"
	)
	// Text.
	f(r("a", maxQueryBytes+1), bad, "the text has more than the limit of 131072 bytes")
	f(r(" ", maxQueryBytes-2)+"up", ok, "")
	f(`"`+r("a", maxQueryBytes-2)+`"`, ok, "")
	f(r("#\n", 60_000)+"up", ok, "")
	f(r("1", 120_000), bad, "error parsing number")
	f("up["+r("1", 120_000)+"s]", bad, "not a valid duration string")

	// Nesting. The stack of Go ends the process when it is full.
	f(r("(", 60_000)+"1"+r(")", 60_000), bad, nesting)
	f(r("(", 120_000), bad, nesting)
	f(r("-", 120_000)+"1", bad, nesting)
	f("1"+r("+1", 60_000), bad, nesting)
	f(r("abs(", 20_000)+"up"+r(")", 20_000), bad, nesting)
	f("up"+r("[1m:]", 20_000), bad, nesting)
	f("up "+r("+on()", 20_000), bad, nesting)
	f("up"+r(" offset 1m", 12_000), bad, "offset may not be set multiple times")
	f(r("{", 120_000), bad, "unexpected left brace")
	f("1"+r("+1", 3900), bad, depth)
	f(r("(", 1000)+"1"+r(")", 1000), bad, depth)
	f(r("max_over_time(", 600)+"up"+r("[1m:])", 600), bad, depth)
	f("1"+r("+1", 990), ok, "")
	f(r("abs(", 990)+"up"+r(")", 990), ok, "")
	f("up"+r(" or up", 255), ok, "")
	f("up"+r(" or up", 256), bad, "more than the limit of 256 selectors")
	f("sum by ("+r("a,", 30_000)+"b) (up)", ok, "")
	f("up{"+r(`a!="b",`, 3900)+"}", ok, "")

	// Subqueries.
	f("vector(1)[10y:1ms]", exec, samples)
	f("up[10y:1ms]", exec, samples)
	f("sum_over_time(vector(1)[10y:1ms])", exec, samples)
	f("sum_over_time(sum_over_time(vector(1)[100s:1ms])[100s:1ms])", exec, samples)
	f(r("max_over_time(", 490)+"up"+r("[1m:1s])", 490), exec, samples)
	f("absent_over_time(nosuch[10m:1ms])", exec, samples)
	f("quantile_over_time(0.5, vector(1)[200s:1ms])", ok, "")
	f("max_over_time(quantile_over_time(0.5, vector(1)[100s:1ms])[100s:9ms])", exec, "functions would read")
	f("sum_over_time(vector(1)[290y:290y])", ok, "")
	f(r("sum_over_time(", 9)+"up"+r("[290y:290y])", 9), ok, "")
	f("up[1m:0.0001]", exec, "the step of a subquery is 100µs, at least 1ms is allowed")

	// Times.
	f("up offset 290y", ok, "")
	f("up offset -290y", ok, "")
	f("up[290y]", ok, "")
	f("up @ 9e15", ok, "")
	f("up @ -9e15", ok, "")
	f("up @ 1e300", bad, "timestamp out of bounds")
	f("up offset 300y", bad, "duration out of range")
	f("rate(up[1y]) offset 1y", bad, "offset modifier must be preceded by")

	// Regular expressions.
	f(`up{node_id=~"(a{1000}){1000}"}`, bad, "invalid repeat count")
	f(`up{node_id=~"`+r(`\\pL{1000}`, 10_000)+`"}`, bad, classes)
	f(`up{node_id=~"(?i)`+r(`[^a]`, 25_000)+`"}`, bad, classes)
	f(`up{node_id=~"(?i)`+r(`[b-\\x{1f000}]`, 5000)+`"}`, bad, classes)
	f(`up{node_id=~"(?si:`+r(`\\W`, 5000)+`)"}`, bad, classes)
	f(`up{node_id=~"(?i)`+r(`[^a]`, 3)+`"}`, ok, "")
	f(`up{node_id=~"`+r(`(a|b)`, 20_000)+`"}`, bad, groups)
	f(`up{node_id=~"`+r(`(a|b)?`, 20_000)+`"}`, bad, repeated)
	f(`up{node_id=~"(?:`+r(`[ab]*|`, 4000)+`)*c"}`, bad, repeated)
	f(`up{node_id=~"`+r(`[ab]?`, 4000)+`"}`, ok, "")
	f(`up{`+r(`node_id=~"(.*a){1000}",`, 100)+`}`, bad, repeated)
	f(`up{node_id=~"`+r(`(`, 990)+`.*`+r(`a?)+`, 990)+`"}`, bad, "nests too deeply")
	f(`up{node_id=~"`+r(`a|`, 60_000)+`"}`, ok, "")
	f(`up{node_id=~"`+r(`node-1234.example.org|`, 5000)+`"}`, ok, "")
	f(`up{node_id=~"(`+r(`node-1234.example.org|`, 5000)+`).*"}`, ok, "")
	f(`up{node_id=~"[a-z0-9]{1,63}(-[a-z0-9]{1,63}){0,9}"}`, ok, "")

	// Labels that a query makes.
	f(`label_replace(up, "a", "`+r("x", 100_000)+`", "", "")`, bad, made)
	f(r("label_replace(", 40)+"up"+r(`, "node_id", "$1$1", "node_id", "(.*)")`, 40), bad, made)
	f(r("label_replace(", 40)+"up"+r(`, "node_id", "$a$1", "node_id", "(?P<a>.*)")`, 40), bad, "label_replace")
	f(r("label_replace(", 40)+"up"+r(`, "node_id", "$1$2", "node_id", "((.*))")`, 40), bad, "label_replace")
	f(r("label_replace(", 40)+"up"+r(`, "node_id", "$0$1", "node_id", "(.*)")`, 40), bad, made)
	f(r("label_replace(", 40)+"up"+r(`, "node_id", "${1}${1}", "node_id", "(.*)")`, 40), bad, made)
	f(r("label_replace(", 40)+"up"+r(`, "node_id", "$1-$2", "node_id", "(.)(.*)")`, 40), ok, "")
	f(r("label_join(", 40)+"up"+r(`, "node_id", "", "node_id", "node_id")`, 40), bad, made)
	f(`label_join(up, "a", ""`+r(`, "node_id"`, 10_000)+`)`, bad, made)
	f(`label_replace(up, "a", "$1", "node_id", "(`+r("(n|1|2)*", 1000)+`)")`, bad, groups)
	f(`label_replace(up, "a", "$1", "node_id", "`+r("[n12]*", 9000)+`")`, bad, repeated)
	f(`label_replace(up, "a", "$1", "node_id", "((.{333}.*){3})")`, bad, "the regular expression of label_replace takes")
	f(`label_replace(up, "a", "$1", ("node_id"), ("([^:]+):.*"))`, ok, "")

	// Results.
	f(`count_values("a", {__name__=~".+"})`, ok, "")
	f("topk(9e18, up)", ok, "")
	f("topk(1e30, up)", exec, "overflows int64")
	f("up * on() up", exec, "found duplicate series for the match group")
	f("up + on("+r("a,", 30_000)+"b) up", exec, "found duplicate series for the match group")
}

func TestHostileRanges(t *testing.T) {
	cfg := testConfig(loaded(t))
	cfg.Limits.Timeout = hostileTimeout
	a := New(cfg)
	h := serve(a)
	f := func(query, step string, status int, contains string) {
		t.Helper()
		code, e := requireCheap(t, h, "/api/v1/query_range", url.Values{"query": {query}, "start": {"0"}, "end": {"3600"}, "step": {step}})
		require.Equal(t, status, code, "%s: %s", truncated(query), e.Error)
		require.Contains(t, e.Error, contains, truncated(query))
	}
	const late, tooLarge = "query timed out in", http.StatusUnprocessableEntity
	f(strings.Repeat("abs(", 990)+"up"+strings.Repeat(")", 990), "0.33", http.StatusServiceUnavailable, late)
	f("up"+strings.Repeat(" or up", 255), "0.33", http.StatusServiceUnavailable, late)
	f("quantile_over_time(0.5, vector(1)[2h:100ms])", "0.4", http.StatusUnprocessableEntity, "functions would read")
	f("quantile_over_time(0.5, vector(1)[5m:100ms])", "0.4", http.StatusServiceUnavailable, late)
	f("sum_over_time(vector(1)[1d:1ms])", "0.4", tooLarge, "too many samples")
	f("up", "0.0001", http.StatusBadRequest, "a step of 100µs is less than the least one, 1ms")
	f("up", "0.1", http.StatusBadRequest, "exceeded maximum resolution of 11,000 points per timeseries")
	// What is overdue ends, too.
	require.Eventually(t, func() bool {
		a.admission.mu.Lock()
		defer a.admission.mu.Unlock()
		return a.admission.state.running == [kinds]int{}
	}, time.Minute, 10*time.Millisecond)
}

func TestHostileFormatting(t *testing.T) {
	h := serve(New(testConfig(loaded(t))))
	f := func(query string, status int) {
		t.Helper()
		code, e := requireCheap(t, h, "/api/v1/format_query", url.Values{"query": {query}})
		require.Equal(t, status, code, e.Error)
		code, e = requireCheap(t, h, "/api/v1/parse_query", url.Values{"query": {query}})
		require.Equal(t, http.StatusOK, code, e.Error)
	}
	leaf := `up{a="` + strings.Repeat("a", 100_000) + `"}`
	f(strings.Repeat("(", 990)+leaf+strings.Repeat(")", 990), http.StatusBadRequest)
	f(leaf+strings.Repeat("+1", 990), http.StatusBadRequest)
	f(leaf+strings.Repeat("+1", 50), http.StatusOK)
	f("up"+strings.Repeat(` or up{node_id="n1",node_role="data"}`, 200), http.StatusOK)
}

func TestHostileMatchers(t *testing.T) {
	h := serve(New(testConfig(loaded(t))))
	f := func(match []string, contains string) {
		t.Helper()
		for _, path := range []string{"/api/v1/series", "/api/v1/labels"} {
			code, e := requireCheap(t, h, path, url.Values{"match[]": match})
			require.Equal(t, http.StatusBadRequest, code, e.Error)
			require.Contains(t, e.Error, contains)
		}
	}
	many := make([]string, maxSelectors+1)
	for i := range many {
		many[i] = "up"
	}
	f(many, "257 values of match[], at most 256 are allowed")
	for i := range many[:200] {
		many[i] = `{a=~"` + strings.Repeat("x", 1000) + `"}`
	}
	f(many[:200], "the text has more than the limit of 131072 bytes")
	for i := range many {
		many[i] = `{a=~"(?i)[^a]"}`
	}
	f(many[:20], "the regular expressions have more than the limit of 16 classes")
}

// The estimates of regular expressions are those of the expressions that they are used for.
func TestReferences(t *testing.T) {
	f := func(re, template string, times, bytes int) {
		t.Helper()
		gotTimes, gotBytes := references(re, template)
		require.Equal(t, []int{times, bytes}, []int{gotTimes, gotBytes}, "%s %s", re, template)
	}
	f("(.*)", "", 0, 0)
	f("(.*)", "abc", 0, 3)
	f("(.*)", "$1", 1, 0)
	f("(.*)", "a$1 b$1", 2, 3)
	f("(.*)", "$1b", 1, 0) // There is no such group.
	f("(.)(.)", "$1$2", 1, 0)
	f("(.)(.)", "$1$2$2", 2, 0)
	f("(.(.))", "$1$2", 2, 0)
	f("(.)(.)", "$0$1", 2, 0)
	f("(?P<a>.)(.)", "$a$1", 2, 0)
	f("(.)", "${1}${1}", 2, 0)
	f("(.)", "${1", 0, 3)
	f("(.)", "$", 0, 1)
	f("(.)", "$1é", 1, 0) // The name is 1é, to be on the safe side.
	f("(", "$1$2", 2, 0)
}
