package modes

import (
	"fmt"
	"testing"
	"time"

	"fodc/messages"
	"fodc/modes/export"

	"github.com/stretchr/testify/require"
)

func TestExportFlags(t *testing.T) {
	f := func(want export.Config, matchers string, args ...string) {
		t.Helper()
		o := run(t, nil, []string{"FODC_FORMAT=x", "FODC_START=x", "FODC_MATCH={"}, append([]string{"journal", "export"}, args...)...)
		require.Equal(t, exitClean, o.code, o.stderr)
		require.Empty(t, o.stderr)
		got := o.config.(export.Config)
		require.Equal(t, matchers, fmt.Sprint(got.Match))
		got.Match = nil
		require.Equal(t, want, got)
	}
	from, to := time.Unix(1704110400, 500_000_000).UTC(), time.Unix(1704114000, 0).UTC()
	f(export.Config{Dir: "dir", Format: "openmetrics"}, "[]", "dir")
	f(export.Config{Dir: "dir", Format: "openmetrics", Output: "file"}, "[]", "dir", "--output", "file")
	f(export.Config{Dir: "dir", Format: "tsdb", Output: "blocks"}, "[]", "--format=tsdb", "dir", "--output=blocks")
	f(export.Config{Dir: "dir", Format: "openmetrics", Window: messages.Window{Start: from, End: to}}, "[]", "dir", "--start", "1704110400.5", "--end", "2024-01-01T14:00:00+01:00")
	f(export.Config{Dir: "dir", Format: "openmetrics", Window: messages.Window{Start: from, End: from}}, "[]", "dir", "--start", "1704110400.5", "--end", "1704110400.5")
	f(export.Config{Dir: "dir", Format: "openmetrics"}, `[[a="1"] [b=~"x.*" c!="y"]]`, "dir", "--match", `{a="1"}`, "--match", `{b=~"x.*",c!="y"}`)
}

func TestWrongExportFlags(t *testing.T) {
	f := func(words string, args ...string) {
		t.Helper()
		wrong(t, run(t, nil, nil, append([]string{"journal", "export", "dir"}, args...)...), "fodc journal export: ", words)
	}
	f(`--format "xml": must be openmetrics or tsdb`, "--format", "xml")
	f("--output is missing: with --format=tsdb it is the directory of the blocks", "--format", "tsdb")
	f(`--start "yesterday": neither RFC 3339 (2006-01-02T15:04:05Z) nor unix seconds`, "--start", "yesterday")
	f(`--end "1704110400000": after the year 9999: seconds are wanted, not milliseconds`, "--end", "1704110400000")
	f(`--start "1704110401": must not be after --end, which is 2024-01-01T12:00:00Z`, "--start", "1704110401", "--end", "1704110400")
	f(`--match "rate(a[5m])": no series selector, such as `, "--match", "a", "--match", "rate(a[5m])")
	f(`--match "{": no series selector`, "--match", "{")
	f("--match needs a value", "--match")
	f(`stray argument "x"`, "x")
}
