package crash

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files anew")

var testStart = time.Date(2026, 7, 18, 12, 0, 0, 0, time.UTC)

// describe is what was found, for people.
func describe(found []Found) string {
	var b strings.Builder
	for _, f := range found {
		if e := f.Exit; e != nil {
			fmt.Fprintf(&b, "exit at %s of %d: signal %q, code %d, out of memory %t\n  text %s\n",
				e.At.Format(time.RFC3339Nano), e.PID, e.Signal, e.Code, e.OutOfMemory, e.Text)
			continue
		}
		p := f.Panic
		fmt.Fprintf(&b, "panic at %s in %s, recovered %t\n", p.OccurredAt.Format(time.RFC3339Nano), p.Component, p.Recovered)
		for line := range strings.SplitSeq(p.PanicValue, "\n") {
			fmt.Fprintf(&b, "  | %s\n", line)
		}
		for _, name := range slices.Sorted(maps.Keys(p.ProcessMetadata)) {
			fmt.Fprintf(&b, "  %s: %s\n", name, p.ProcessMetadata[name])
		}
		lines := strings.Split(p.GoroutineStack, "\n")
		fmt.Fprintf(&b, "  stack of %d lines\n", len(lines))
		for i, line := range lines {
			if i < 3 || i == len(lines)-1 {
				fmt.Fprintf(&b, "  > %s\n", line)
			}
		}
	}
	return b.String()
}

// parseLog returns what a log tells of, all of whose lines come at once.
func parseLog(text string) []Found {
	var p Parser
	var found []Found
	for line := range strings.Lines(text) {
		found = append(found, p.Line(strings.TrimSuffix(line, "\n"), testStart)...)
	}
	return append(found, p.Pause(testStart.Add(dumpQuiet+1))...)
}

// The logs are what programs of Go 1.26 have written as they ended, and what shells and supervisors say.
func TestLogsAreUnderstood(t *testing.T) {
	names, err := filepath.Glob("testdata/log/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			got := describe(parseLog(string(text)))
			golden := strings.TrimSuffix(name, ".txt") + ".golden"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), got)
		})
	}
}
