package modes

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var defaultQuery = QueryCommandConfig{Expr: "up", ProxyURL: "http://localhost:17901", Timeout: 30 * time.Second, Output: "table"}

func TestQueryFlags(t *testing.T) {
	f := func(change func(*QueryCommandConfig), args ...string) {
		t.Helper()
		want := defaultQuery
		change(&want)
		// Only the URL has a variable.
		o := run(t, nil, []string{"FODC_OUTPUT=x", "FODC_STRICT=x", "FODC_DIR=x", "FODC_TIMEOUT=x", "FODC_PROXY_URL=x"}, append([]string{"query"}, args...)...)
		require.Equal(t, exitClean, o.code, o.stderr)
		require.Empty(t, o.stderr)
		require.Equal(t, want, o.config)
	}
	f(func(*QueryCommandConfig) {}, "up")
	f(func(c *QueryCommandConfig) { c.Expr = "sum by (a) (rate(x[5m]))" }, "sum by (a) (rate(x[5m]))")
	f(func(c *QueryCommandConfig) { c.Expr = "-up" }, "--", "-up")
	f(func(c *QueryCommandConfig) { c.Expr = "-up"; c.Output = "json" }, "--output", "json", "--", "-up")
	f(func(c *QueryCommandConfig) { c.Output = "csv"; c.Strict = true }, "up", "--output=csv", "--strict")
	f(func(c *QueryCommandConfig) { c.Dir = "d"; c.Timeout = time.Minute }, "--dir", "d", "up", "--timeout", "1m")
	f(func(c *QueryCommandConfig) { c.ProxyURL = "https://u:p@h:1/fodc/" }, "up", "--proxy-url", "https://u:p@h:1/fodc/")

	noon := time.Unix(1704110400, 0).UTC()
	f(func(c *QueryCommandConfig) { c.Time.At = noon }, "up", "--time", "1704110400")
	f(func(c *QueryCommandConfig) { c.Time.Ago = 15 * time.Minute }, "up", "--time", "-15m")
	f(func(c *QueryCommandConfig) { c.Start.Ago, c.End.Ago = 26*time.Hour, 90*time.Second }, "--start", "-1d2h", "--end=-1m30s", "up")
	f(func(c *QueryCommandConfig) { c.Start.At, c.Step = noon, 1500*time.Millisecond }, "up", "--start", "2024-01-01T13:00:00+01:00", "--step", "1.5s")
	f(func(c *QueryCommandConfig) { c.Start.Ago, c.End.At = time.Hour, noon }, "up", "--start", "-1h", "--end", "1704110400")
	f(func(c *QueryCommandConfig) { c.Step = 24 * time.Hour }, "up", "--step", "1d")
}

func TestProxyURLFromTheEnvironment(t *testing.T) {
	env := []string{"FODC_QUERY_PROXY_URL=http://env:1"}
	f := func(want string, args ...string) {
		t.Helper()
		o := run(t, nil, env, append([]string{"query", "up"}, args...)...)
		require.Equal(t, exitClean, o.code, o.stderr)
		require.Equal(t, want, o.config.(QueryCommandConfig).ProxyURL)
	}
	f("http://env:1")
	f("http://flag:1", "--proxy-url", "http://flag:1")
	f("http://env:1", "--dir", "d") // It counts for nothing then.
	env = []string{"FODC_QUERY_PROXY_URL=h:1"}
	wrong(t, run(t, nil, env, "query", "up"), `fodc query: FODC_QUERY_PROXY_URL "h:1": must be http://HOST`)
}

func TestWrongQueryCommandLine(t *testing.T) {
	f := func(words string, args ...string) {
		t.Helper()
		wrong(t, run(t, nil, nil, append([]string{"query"}, args...)...), "fodc query: ", words)
	}
	f("EXPR is missing: an expression of PromQL, such as ")
	f("EXPR is missing", "--output", "json")
	f(`EXPR "": must be an expression of PromQL`, "")
	f(`stray argument "1": one EXPR is allowed; quote one that has spaces`, "up > 0", "1")
	f(`unknown flag "--up" (see fodc query --help); an EXPR that begins with - stands behind --`, "--up")
	f(`unknown flag "--log-level"`, "up", "--log-level", "info")
	f(`--output "xml": must be table, json or csv`, "up", "--output", "xml")
	f("--step needs a value (see fodc query --help)", "up", "--step")
	f(`--strict "x": must be true or false`, "up", "--strict=x")
	for _, name := range []string{"time", "start", "end"} {
		f(`--`+name+` "yesterday": neither RFC 3339 (2006-01-02T15:04:05Z) nor unix seconds, nor how long ago (-15m)`, "up", "--"+name, "yesterday")
		f(`--`+name+` "-15": not how long ago, up to 10 years, such as -15m`, "up", "--"+name, "-15")
		f(`--`+name+` "-0s": not how long ago`, "up", "--"+name, "-0s")
		f(`--`+name+` "-11y": not how long ago`, "up", "--"+name, "-11y")
		f(`--`+name+` "--1h": not how long ago`, "up", "--"+name, "--1h")
		f(`--`+name+` "1704110400000": after the year 9999`, "up", "--"+name, "1704110400000")
		f(`--`+name+` "": neither`, "up", "--"+name, "")
	}
	for _, value := range []string{"", "0", "0s", "-1s", "15", "999us", "2y", "x"} {
		f(`--step "`+value+`": must be a duration from 1ms to 1y, such as 15s or 1m`, "up", "--step", value)
	}
	f(`--timeout "0s": must be a duration of at least 10ms`, "up", "--timeout", "0s")
	for _, more := range [][]string{{"--start", "-1h"}, {"--end", "-1h"}, {"--step", "1m"}} {
		f(`--time "-1m": must not be given with --start, --end or --step`, append([]string{"up", "--time", "-1m"}, more...)...)
	}
	f(`--start "1704110401": must not be after --end, which is 2024-01-01T12:00:00Z`, "up", "--start", "1704110401", "--end", "1704110400")
	f(`--start "-1h": must not be after --end, which is -2h0m0s`, "up", "--start", "-1h", "--end", "-2h")
	for _, value := range []string{"", "h", "h:1", "ftp://h", "http://", "http:///x", "http://h:0", "http://h:x", "http://h?a=b", "http://h/#x", "//h", "http://a b"} {
		f(`--proxy-url "`+value+`": must be http://HOST or https://HOST`, "up", "--proxy-url", value)
	}
	f(`--proxy-url "http://localhost:17901": must not be given with --dir`, "up", "--dir", "d", "--proxy-url", "http://localhost:17901")
	f(`--proxy-url "ftp://u:***@h"`, "up", "--proxy-url", "ftp://u:hunter2@h")
}

func TestStepsOfARange(t *testing.T) {
	f := func(want string, length, step time.Duration) {
		t.Helper()
		err := checkSteps(length, step)
		if want == "" {
			require.NoError(t, err)
			return
		}
		require.EqualError(t, err, want)
	}
	f("", 11_000*time.Second, time.Second)
	f("", time.Hour, 15*time.Second)
	f("--step 1s: 3h3m21s has 11001 steps, and 11000 are allowed: take 2s at least", 11_001*time.Second, time.Second)
	f("--step 1s: 1d has 86400 steps, and 11000 are allowed: take 8s at least", 24*time.Hour, time.Second)
	f("--step 1ms: 1m has 60000 steps, and 11000 are allowed: take 6ms at least", time.Minute, time.Millisecond)
	_, err := newQueryRequest(QueryCommandConfig{Expr: "up", Start: When{Ago: 24 * time.Hour}, Step: time.Second, Timeout: time.Second}, time.Time{}, time.Unix(1_700_000_000, 0))
	require.ErrorContains(t, err, "--step 1s: 1d has 86400 steps")
}

func TestQueryHelp(t *testing.T) {
	for _, args := range [][]string{{"query", "--help"}, {"query", "up", "-h"}, {"help", "query"}} {
		o := run(t, nil, nil, args...)
		require.Equal(t, exitClean, o.code, o.stderr)
		require.Nil(t, o.config)
		require.Empty(t, o.stderr)
		require.Contains(t, o.stdout, "   fodc query - evaluates an expression")
		require.Contains(t, o.stdout, "   fodc query EXPR [flags]\n")
		require.Contains(t, o.stdout, "(default: http://localhost:17901) [$FODC_QUERY_PROXY_URL]")
		require.Contains(t, o.stdout, "--time TIME              TIME for which the expression is evaluated (default: now)\n")
	}
	require.Contains(t, run(t, nil, nil, "query", "up", "--version").stdout, "fodc version ")
}

func TestFailureOfAQueryIsOneLine(t *testing.T) {
	f := func(want string, err error) {
		t.Helper()
		o := run(t, err, nil, "query", "up")
		require.Equal(t, exitFailure, o.code)
		require.Equal(t, want, o.stderr)
		require.Empty(t, o.stdout)
	}
	f("fodc query: a\\nb\n", errors.New("a\nb"))
	f("", fmt.Errorf("write: %w", syscall.EPIPE))
}

// The document has every flag.
func TestQueryDocumentNamesTheFlags(t *testing.T) {
	doc, err := os.ReadFile("../docs/querying.md")
	require.NoError(t, err)
	for _, o := range queryTool(Runners{}).options {
		require.Contains(t, string(doc), "`--"+o.name, "fodc query --%s", o.name)
	}
}
