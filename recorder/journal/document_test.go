package journal

import (
	"flag"
	"fmt"
	"math"
	"math/rand"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/recordertest"
)

var update = flag.Bool("update", false, "write the example of docs/journal.md")

const document = "../../docs/journal.md"

// exampleSegment returns the segment that the document shows.
func exampleSegment(t testing.TB) []byte {
	t.Helper()
	a := recorder.Family{Name: "a", Type: messages.TypeGauge, Help: "Free"}
	b := recorder.Family{Name: "b", Type: messages.TypeCounter, Help: "Used", FromAgent: true}
	one, two := recorder.SeriesKey{Name: "a", Labels: `x="1"`}, recorder.SeriesKey{Name: "a", Labels: `x="2"`}
	used := recorder.SeriesKey{Name: "b"}
	all := &recorder.SeriesList{Keys: []recorder.SeriesKey{one, two, used}, FamilyOf: []int32{0, 0, 1}, Families: []recorder.Family{a, b}}
	fewer := &recorder.SeriesList{Keys: []recorder.SeriesKey{one, used}, FamilyOf: []int32{0, 1}, Families: []recorder.Family{a, b}}
	e := newEncoder(Header{Number: 1, Created: created, Node: Node{NodeID: "n1", Role: "data", AgentVersion: "v1"}})
	segment, err := e.appendHeader(nil)
	require.NoError(t, err)
	add := func(number, at int64, failure string, series *recorder.SeriesList, values ...float64) {
		segment, err = e.appendScrape(segment, &recorder.Batch{Target: "t", At: created + at, Failure: failure, Series: series, Values: values}, number)
		require.NoError(t, err)
	}
	segment = e.appendMark(segment, Mark{MarkAgentStarted, created})
	add(1, 1_000, "", all, 1, 0.5, 8192)
	add(2, 11_000, "", all, 1, 0.75, 12288)
	add(3, 21_002, "refused", fewer, 1, 12289)
	add(5, 31_000, "", all, 1, math.Inf(1), 12295)
	segment, err = e.appendEvent(segment, recorder.Event{Kind: recorder.EventProcessExit, Target: "host", At: time.UnixMilli(created + 31_400), Detail: "exit code 2"})
	require.NoError(t, err)
	segment = e.appendMark(segment, Mark{MarkAgentStopped, created + 31_500})
	return e.appendIndex(segment, int64(len(segment)), created+31_501)
}

// The example of the document is what the encoder writes, and what a reader that was written
// after the document makes of it.
func TestDocument(t *testing.T) {
	d := &docReader{data: exampleSegment(t)}
	require.True(t, d.segment())
	text, err := os.ReadFile(document)
	require.NoError(t, err)
	const begin, end = "## Example\n", "\n```\n"
	before, rest, ok := strings.Cut(string(text), begin)
	require.True(t, ok)
	intro, rest, ok := strings.Cut(rest, "```text\n")
	require.True(t, ok)
	example, after, ok := strings.Cut(rest, end)
	require.True(t, ok)
	want := trimLines(d.list.String())
	if *update {
		require.NoError(t, os.WriteFile(document, []byte(before+begin+intro+"```text\n"+want+end+after), 0o644))
		return
	}
	require.Equal(t, want, example, "run go test ./recorder/journal -run Document -update")
}

func trimLines(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, strings.TrimRight(line, " \n"))
	}
	return strings.Join(lines, "\n")
}

// A reader that was written after the document reads what the encoder writes.
func TestDocumentSuffices(t *testing.T) {
	f := func(batches []*recorder.Batch) {
		t.Helper()
		segment := closedSegment(t, batches)
		d := &docReader{data: segment}
		require.True(t, d.segment())
		got, _, _, _ := scanAll(t, segment)
		require.Len(t, got, len(batches))
		var want []string
		for _, b := range got {
			want = append(want, fmt.Sprintf("%d %s %d %q", b.Number, b.Target, b.At, b.Failure))
			for i, k := range b.Series.Keys {
				f := b.Series.Families[b.Series.FamilyOf[i]]
				want = append(want, fmt.Sprintf("%s%s{%s} %016x type %d help %q", k.Name, k.Suffix, k.Labels, math.Float64bits(b.Values[i]), docType(f), f.Help))
			}
		}
		require.Equal(t, want, d.samples)
	}
	for seed := range int64(5) {
		f(randomBatches(rand.New(rand.NewSource(seed)), 60))
	}
	real, _ := recorded(t, 20, recordertest.NewRepeatedNode(t, pagesDir).Next)
	f(real)
	walking, _ := recorded(t, 30, recordertest.NewWalkingNode(100).Next)
	f(walking)
}

// The limits of the document are those of the code.
func TestDocumentedLimits(t *testing.T) {
	text, err := os.ReadFile(document)
	require.NoError(t, err)
	f := func(format string, limits ...int) {
		t.Helper()
		var args []any
		for _, n := range limits {
			digits := fmt.Sprint(n)
			if at := len(digits) - 3; at > 0 {
				digits = digits[:at] + "," + digits[at:]
			}
			args = append(args, digits)
		}
		require.Contains(t, string(text), fmt.Sprintf(format, args...))
	}
	const kib, mib = 1 << 10, 1 << 20
	f("| payload of a frame | %s MiB |", maxFrameBytes/mib)
	f("| targets | %s |", maxTargets)
	f("| families, series | %s each |", maxSeries)
	require.Equal(t, maxSeries, maxFamilies)
	f("| texts of all definitions, as they are in memory | %s MiB |", maxTextBytes/mib)
	f("| name of a target; of a family | %s KiB; %s KiB |", maxTargetNameBytes/kib, maxNameBytes/kib)
	f("| help; labels of a series | %s KiB; %s KiB, %s labels |", maxHelpBytes/kib, maxLabelsBytes/kib, messages.MaxSeriesLabels)
	f("| failure | %s KiB |", maxFailureBytes/kib)
	f("| texts of the header | %s KiB each, %s labels |", maxHeaderTextBytes/kib, maxNodeLabels)
	f("(at most %s, later ones are left out)", maxMarks)
	f("when it has %s MiB or a sixteenth of", maxSegmentBytes/mib)
	require.Equal(t, 16, segmentsOfRetention)
}

func docType(f recorder.Family) int {
	if f.FromAgent {
		return int(f.Type) + 128
	}
	return int(f.Type)
}
