package modes

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestIncidentsFlags(t *testing.T) {
	f := func(change func(*IncidentsConfig), args ...string) {
		t.Helper()
		want := IncidentsConfig{Do: IncidentsDo(args[0]), ProxyURL: "http://localhost:17901", Timeout: 30 * time.Second}
		change(&want)
		o := run(t, nil, []string{"FODC_OUTPUT=x", "FODC_REASON=x", "FODC_NODE=x", "FODC_TIMEOUT=x", "FODC_PROXY_URL=x"}, append([]string{"incidents"}, args...)...)
		require.Equal(t, exitClean, o.code, o.stderr)
		require.Empty(t, o.stderr)
		require.Equal(t, want, o.config)
	}
	f(func(c *IncidentsConfig) { c.Output = "table" }, "list")
	f(func(c *IncidentsConfig) {
		c.Output, c.Nodes, c.Roles, c.Rules, c.States, c.Limit = "json", []string{"a", "b"}, []string{"r"}, []string{"x"}, []string{"open"}, 3
		c.Since.Ago, c.Until.At = 24*time.Hour, time.Unix(1704110400, 0).UTC()
	}, "list", "--output", "json", "--node", "a", "--node=b", "--role", "r", "--rule", "x", "--state", "open", "--limit", "3", "--since", "-1d", "--until", "1704110400")
	f(func(c *IncidentsConfig) { c.Output, c.ID, c.ProxyURL = "table", "last", "http://h:1/fodc" }, "show", "last", "--proxy-url", "http://h:1/fodc")
	f(func(c *IncidentsConfig) { c.ID, c.Timeout = "01J", 2*time.Minute }, "export", "01J")
	f(func(c *IncidentsConfig) {
		c.ID, c.Timeout, c.File, c.Nodes, c.Lite = "01J", time.Second, "-", []string{"a"}, true
	}, "export", "-o", "-", "01J", "--node", "a", "--lite", "--timeout", "1s")
	f(func(c *IncidentsConfig) { c.Output, c.Reason, c.Profiles = "table", "slow queries", true }, "capture", "--reason", "slow queries")
	f(func(c *IncidentsConfig) {
		c.Output, c.Reason, c.Nodes, c.Before, c.After = "json", "r", []string{"a", "b"}, "1h", "2m"
	}, "capture", "--reason=r", "--node", "a", "--node", "b", "--before", "1h", "--after", "2m", "--profiles=false", "--output", "json")
	f(func(c *IncidentsConfig) { c.ID = "x" }, "pin", "x")
	f(func(c *IncidentsConfig) { c.ID = "x" }, "unpin", "x")
	f(func(c *IncidentsConfig) { c.ID = "x" }, "delete", "x")

	o := run(t, nil, []string{"FODC_INCIDENTS_PROXY_URL=http://env:1"}, "incidents", "list")
	require.Equal(t, "http://env:1", o.config.(IncidentsConfig).ProxyURL)
	for _, args := range [][]string{{"incidents", "--help"}, {"help", "incidents"}, {"incidents", "export", "--help"}} {
		o := run(t, nil, nil, args...)
		require.Equal(t, exitClean, o.code)
		require.Contains(t, o.stdout, "fodc incidents ")
	}
	require.Contains(t, run(t, nil, nil, "incidents", "list", "--help").stdout, "fodc incidents list [flags]")
	require.Contains(t, run(t, nil, nil, "incidents", "show", "--help").stdout, "fodc incidents show ID [flags]")
}

func TestWrongIncidentsCommandLine(t *testing.T) {
	f := func(words string, args ...string) {
		t.Helper()
		wrong(t, run(t, nil, nil, append([]string{"incidents"}, args...)...), "fodc incidents", words)
	}
	f("a command is missing: must be list, show, export, capture, pin, unpin or delete (see fodc incidents --help)")
	f(`unknown command "open": must be list`, "open")
	f(`list: stray argument "x": only flags are allowed`, "list", "x")
	f(`capture: stray argument "x": only flags are allowed`, "capture", "x", "--reason", "r")
	f("show: ID is missing: the id of an incident, the beginning of one, or last", "show")
	f(`pin: ID "": must be the id of an incident, or last`, "pin", "")
	f(`delete: stray argument "b": one ID is allowed`, "delete", "a", "b")
	f("capture: --reason is missing", "capture")
	f("capture: --reason is missing", "capture", "--reason", " ")
	f(`--before "10": must be a duration such as 10m`, "capture", "--reason", "r", "--before", "10")
	f(`--state "closed": must be open, frozen or collected`, "list", "--state", "closed")
	f(`--limit "0": must be a whole number from 1 to 1000000`, "list", "--limit", "0")
	f(`--since "-1h": must not be after --until, which is -2h`, "list", "--since", "-1h", "--until", "-2h")
	f(`--since "2": must not be after --until`, "list", "--since", "2", "--until", "1")
	f(`--output "csv": must be table or json`, "list", "--output", "csv")
	f(`unknown flag "--output"`, "export", "x", "--output", "json")
	f(`--proxy-url "h:1": must be http://HOST`, "list", "--proxy-url", "h:1")
	f(`--timeout "0s"`, "list", "--timeout", "0s")
}
