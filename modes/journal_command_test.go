package modes

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"fodc/messages"
	"fodc/modes/export"
	"fodc/recorder"
	"fodc/recorder/journal"

	"github.com/stretchr/testify/require"
)

func TestOperandsStandAnywhere(t *testing.T) {
	takesValue := func(name string) bool { return name == "output" || name == "o" }
	f := func(args, wantFlags, wantOperands string) {
		t.Helper()
		flags, operands := splitOperands(strings.Fields(args), takesValue)
		require.Equal(t, strings.Fields(wantFlags), append([]string{}, flags...), "flags of %q", args)
		require.Equal(t, strings.Fields(wantOperands), append([]string{}, operands...), "operands of %q", args)
	}
	f("", "", "")
	f("dir", "", "dir")
	f("dir --output json", "--output json", "dir")
	f("--output json dir", "--output json", "dir")
	f("--verify dir --output json more", "--verify --output json", "dir more")
	f("-verify dir -output json", "-verify -output json", "dir")
	f("dir --output=json more", "--output=json", "dir more")
	f("dir -o json", "-o json", "dir")
	f("dir --output", "--output", "dir")
	f("dir --output -- more", "--output --", "dir more")
	f("-- --output json", "", "--output json")
	f("dir -- -x --", "", "dir -x --")
	f("- dir", "", "- dir")
	f("--unknown dir ---x", "--unknown ---x", "dir")

	_, operands := splitOperands([]string{"", "--x"}, takesValue)
	require.Equal(t, []string{""}, operands)
}

func TestInspectFlags(t *testing.T) {
	f := func(want InspectConfig, args ...string) {
		t.Helper()
		o := run(t, nil, []string{"FODC_OUTPUT=x", "FODC_VERIFY=x"}, append([]string{"journal", "inspect"}, args...)...)
		require.Equal(t, exitClean, o.code, o.stderr)
		require.Empty(t, o.stderr)
		require.Equal(t, want, o.config)
	}
	f(InspectConfig{Dir: "dir", Output: "table"}, "dir")
	f(InspectConfig{Dir: "dir", Output: "json"}, "dir", "--output", "json")
	f(InspectConfig{Dir: "dir", Output: "json"}, "--output", "json", "dir")
	f(InspectConfig{Dir: "dir", Output: "json", Verify: true}, "--verify", "dir", "--output=json")
	f(InspectConfig{Dir: "--dir", Output: "table"}, "--", "--dir")
	f(InspectConfig{Dir: "-", Output: "table"}, "-")
	f(InspectConfig{Dir: "dir", Output: "table"}, "dir", "--verify=false", "--output", "json", "--output", "table")
}

func TestWrongJournalCommandLine(t *testing.T) {
	f := func(words string, args ...string) {
		t.Helper()
		wrong(t, run(t, nil, nil, append([]string{"journal"}, args...)...), "fodc journal", words)
	}
	f("a command is missing: must be inspect")
	f(`unknown command "x"`, "x")
	f(`unknown command "x\ny"`, "x\ny")
	f(`unknown flag "--x"`, "--x", "inspect")
	f("inspect: DIR is missing", "inspect")
	f("inspect: DIR is missing", "inspect", "--output", "json")
	f(`inspect: DIR "": must be a directory`, "inspect", "")
	f(`inspect: stray argument "b": one DIR is allowed`, "inspect", "a", "b")
	f(`inspect: stray argument "b"`, "inspect", "a", "--verify", "b")
	f(`inspect: --output "xml": must be table or json`, "inspect", "a", "--output", "xml")
	f(`inspect: --output "": must be`, "inspect", "a", "--output=")
	f(`inspect: --verify "x": must be true or false`, "inspect", "a", "--verify=x")
	f("inspect: --output needs a value (see fodc journal inspect --help)", "inspect", "a", "--output")
	f(`inspect: unknown flag "--x" (see fodc journal inspect --help)`, "inspect", "a", "--x", "y")
	f(`inspect: unknown flag "--log-level"`, "inspect", "a", "--log-level", "info")
	f("---x", "inspect", "a", "---x")
	wrong(t, run(t, nil, nil, "help", "journal", "x"), `fodc journal: unknown command "x"`)
	wrong(t, run(t, nil, nil, "journals"), `unknown command "journals": must be agent, proxy, standalone, journal, query, incidents, rules, check`)
}

func TestJournalHelp(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		o := run(t, nil, nil, args...)
		require.Equal(t, exitClean, o.code, o.stderr)
		require.Nil(t, o.config)
		require.Contains(t, o.stdout, want)
		require.Empty(t, o.stderr)
	}
	for _, args := range [][]string{{"journal", "--help"}, {"help", "journal"}} {
		f("fodc journal command DIR [flags]", args...)
		f("   inspect  ", args...)
	}
	for _, args := range [][]string{{"journal", "inspect", "--help"}, {"journal", "inspect", "dir", "-h"}, {"help", "journal", "inspect"}} {
		f("fodc journal inspect DIR [flags]", args...)
		f("--output FORMAT  FORMAT: table or json (default: table)\n", args...)
	}
	f("fodc version ", "journal", "--version")
	f("fodc version ", "journal", "inspect", "dir", "--version")
}

func TestFailureOfAToolIsOneLine(t *testing.T) {
	f := func(want string, err error) {
		t.Helper()
		o := run(t, err, nil, "journal", "inspect", "dir")
		require.Equal(t, exitFailure, o.code)
		require.Equal(t, want, o.stderr)
		require.Empty(t, o.stdout)
	}
	f("fodc journal inspect: disk\\nbroken\n", errors.New("disk\nbroken"))
	f("", fmt.Errorf("write: %w", syscall.EPIPE))
}

func TestFindJournal(t *testing.T) {
	storage := t.TempDir()
	f := func(want, dir string) {
		t.Helper()
		found, err := findJournal(dir)
		require.NoError(t, err)
		require.Equal(t, want, found)
	}
	f(storage, storage)
	inside := filepath.Join(storage, "journal")
	require.NoError(t, os.Mkdir(inside, 0o755))
	f(inside, storage)
	f(inside, inside)

	_, err := findJournal(filepath.Join(storage, "gone"))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, filepath.Join(storage, "gone"))
	file := filepath.Join(storage, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, _, err = openJournal(file)
	require.ErrorContains(t, err, file+" is no segment of a journal, and DIR must be ")
}

// The samples of an incident, which are a segment by itself, are shown and exported as a journal is.
func TestJournalOfAnIncident(t *testing.T) {
	list := &recorder.SeriesList{Keys: []recorder.SeriesKey{{Name: "x_total"}}, FamilyOf: []int32{0}, Families: []recorder.Family{{Name: "x_total", Type: messages.TypeCounter}}}
	var segment bytes.Buffer
	_, err := journal.WriteSegment(&segment, journal.Node{NodeID: "n1", Role: "data"}, journalBegin.UnixMilli(), func(yield func(*recorder.Batch, error) bool) {
		_ = yield(&recorder.Batch{Target: "t", At: journalBegin.UnixMilli(), Series: list, Values: []float64{42}}, nil)
	})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "window.journal")
	require.NoError(t, os.WriteFile(file, segment.Bytes(), 0o600))
	var shown, exported, warnings bytes.Buffer
	require.NoError(t, RunInspect(t.Context(), InspectConfig{Dir: file, Output: outputTable, Verify: true}, &shown))
	require.Contains(t, shown.String(), "n1")
	require.NoError(t, RunExport(t.Context(), export.Config{Dir: file, Format: export.FormatOpenMetrics}, &exported, &warnings))
	require.Contains(t, exported.String(), `x_total{node_id="n1",node_role="data",pod_name="n1"} 42`)
	require.Empty(t, warnings.String())
}

// The document of the journal has every flag of the commands that read one.
func TestJournalDocumentNamesTheFlags(t *testing.T) {
	doc, err := os.ReadFile("../docs/journal.md")
	require.NoError(t, err)
	for _, tl := range journalTools(Runners{}) {
		require.Contains(t, string(doc), "fodc journal "+tl.name+" ")
		for _, o := range tl.options {
			require.Contains(t, string(doc), "`--"+o.name, "fodc journal %s --%s", tl.name, o.name)
		}
	}
}
