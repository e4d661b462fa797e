package export

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fodc/messages"
	"fodc/recorder/blocks/blockstest"
	"fodc/recorder/journal"

	"github.com/stretchr/testify/require"
)

var nodeA = messages.Identity{NodeID: "a", Role: "data"}

func TestPage(t *testing.T) {
	n := fakeNode(nodeA,
		blockOf([]int64{0, 10_000}, familyOf("b_total", messages.TypeCounter, seriesOf("", 1, 2)), familyOf("a", messages.TypeGauge, seriesOf(`node_id="x"`, 3, messages.Gap))),
		blockOf([]int64{20_000}, familyOf("b_total", messages.TypeCounter, seriesOf("", 3))))
	page, said := pageOf(t, Config{}, n)
	require.Equal(t, `# TYPE a gauge
a{exported_node_id="x",node_id="a",node_role="data"} 3 1704110400
# TYPE b counter
b_total{node_id="a",node_role="data"} 1 1704110400
b_total{node_id="a",node_role="data"} 2 1704110410
b_total{node_id="a",node_role="data"} 3 1704110420
# EOF
`, page)
	require.Empty(t, said)
}

func TestWindow(t *testing.T) {
	n := fakeNode(nodeA, blockOf([]int64{0, 1000, 2000, 3000}, familyOf("a", messages.TypeGauge, seriesOf("", 0, 1, 2, 3))))
	f := func(want int, start, end time.Time) {
		t.Helper()
		page, _ := pageOf(t, Config{Window: messages.Window{Start: start, End: end}}, n)
		require.Len(t, readPage(t, []byte(page)), want)
	}
	open := time.Time{}
	f(4, open, open)
	f(3, at(1000), open)
	f(2, at(1000).Add(1), open)
	f(2, open, at(1000))
	f(2, open, at(1000).Add(1))
	f(1, at(1000), at(1999))
}

func TestMatch(t *testing.T) {
	n := fakeNode(nodeA, blockOf([]int64{0},
		familyOf("a", messages.TypeGauge, seriesOf(`x="1"`, 1), seriesOf(`x="2"`, 2)),
		familyOf("h", messages.TypeHistogram, suffixed(messages.SuffixSum, "", 1), suffixed(messages.SuffixCount, "", 1))))
	f := func(want int, selectors ...string) {
		t.Helper()
		c := Config{Match: matchers(t, selectors...)}
		page, _ := pageOf(t, c, n)
		require.Len(t, readPage(t, []byte(page)), want, selectors)
		c.Format, c.Output = FormatTSDB, filepath.Join(t.TempDir(), "blocks")
		require.NoError(t, newExporter(c, []*node{n}, quiet()).run(t.Context(), &bytes.Buffer{}))
		points, _ := blockstest.Read(t, c.Output)
		require.Len(t, points, want, selectors)
	}
	f(4)
	f(2, `a`)
	f(1, `{x="1"}`)
	f(1, `h_sum`)
	f(2, `{x="1"}`, `h_sum`)
	f(4, `{node_id="a"}`)
	f(4, `{node_id=~"a|b"}`, `a`)
	f(3, `{x!="1"}`)
}

func matchers(t *testing.T, selectors ...string) (m Matchers) {
	t.Helper()
	for _, s := range selectors {
		var err error
		m, err = m.ParseMatcher(s)
		require.NoError(t, err)
	}
	return m
}

func TestWrongMatcher(t *testing.T) {
	for _, text := range []string{"", "{", "a b", `{x=~"("}`, "rate(a[5m])", `a[5m]`} {
		_, err := Matchers{}.ParseMatcher(text)
		require.ErrorContains(t, err, "no series selector, such as ", text)
	}
}

func TestNothingToExport(t *testing.T) {
	n := fakeNode(nodeA, blockOf([]int64{0, 1500}, familyOf("a", messages.TypeGauge, seriesOf("", 1, messages.Gap))))
	f := func(want string, c Config, nodes ...*node) {
		t.Helper()
		for _, c.Format = range []string{FormatOpenMetrics, FormatTSDB} {
			c.Output = filepath.Join(t.TempDir(), "output")
			require.EqualError(t, newExporter(c, nodes, quiet()).run(t.Context(), &bytes.Buffer{}), want)
			left, err := os.ReadDir(filepath.Dir(c.Output))
			require.NoError(t, err)
			require.Empty(t, left)
		}
	}
	const has = "the journal has samples from 2024-01-01T12:00:00Z to 2024-01-01T12:00:01.5Z"
	f("the journal has no samples", Config{})
	f("no samples from 2024-01-01T12:00:02Z to ...: "+has, Config{Window: messages.Window{Start: at(2000)}}, n)
	f("no samples from ... to 2024-01-01T11:59:59Z: "+has, Config{Window: messages.Window{End: at(-1000)}}, n)
	f("no samples from 2024-01-01T12:00:00.5Z to 2024-01-01T12:00:01Z: "+has, Config{Window: messages.Window{Start: at(500), End: at(1000)}}, n)
	f("no series is selected by --match: "+has, Config{Match: matchers(t, "b")}, n)
}

func TestOutputIsWholeOrAbsent(t *testing.T) {
	n := fakeNode(nodeA, blockOf([]int64{0}, familyOf("a", messages.TypeGauge, seriesOf("", 1))))
	for _, format := range []string{FormatOpenMetrics, FormatTSDB} {
		dir := t.TempDir()
		c := Config{Format: format, Output: filepath.Join(dir, "output")}
		var stdout bytes.Buffer
		run := func(ctx context.Context) error { return newExporter(c, []*node{n}, quiet()).run(ctx, &stdout) }
		require.NoError(t, run(t.Context()))
		require.Contains(t, stdout.String(), c.Output+": 1 samples")
		require.EqualError(t, run(t.Context()), c.Output+" exists: nothing is overwritten")

		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		c.Output = filepath.Join(dir, "other")
		require.ErrorIs(t, run(cancelled), context.Canceled)
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, left, 1, "%v", left)

		c.Output = filepath.Join(dir, "slash") + string(filepath.Separator)
		require.NoError(t, run(t.Context()))

		c.Output = filepath.Join(dir, "absent", "output")
		require.ErrorIs(t, run(t.Context()), os.ErrNotExist)
	}
}

// What cannot be read is left out, and said once.
func TestDamageIsAWarning(t *testing.T) {
	n := fakeNode(nodeA, blockOf([]int64{0}, familyOf("a", messages.TypeGauge, seriesOf("", 1))))
	read := n.read
	n.read = func(s messages.Selection) reader { return &damagedReader{reader: read(s)} }
	for _, format := range []string{FormatOpenMetrics, FormatTSDB} {
		c := Config{Format: format, Output: filepath.Join(t.TempDir(), "output")}
		var errs bytes.Buffer
		require.NoError(t, newExporter(c, []*node{n}, newReport(&errs, "test")).run(t.Context(), &bytes.Buffer{}))
		require.Equal(t, "test: warning: 1.segment: disk broken: the rest of the segment is left out\n"+
			"test: warning: 2.segment is damaged at offset 42: torn\\n: the rest of it is left out\n", errs.String())
	}
}

type damagedReader struct {
	reader
	failed bool
}

func (r *damagedReader) Next(budget int) ([]messages.Block, error) {
	if !r.failed {
		r.failed = true
		return nil, errors.New("1.segment: disk broken")
	}
	return r.reader.Next(budget)
}

func (r *damagedReader) Damage() []journal.SegmentDamage {
	return []journal.SegmentDamage{{Name: "2.segment", Damage: &journal.Damage{Offset: 42, Reason: "torn\n"}}}
}

func TestWarnings(t *testing.T) {
	twice := blockOf([]int64{0, 1000}, familyOf("a", messages.TypeGauge, seriesOf("", 1, 2)))
	page, said := pageOf(t, Config{}, fakeNode(nodeA, twice, twice))
	require.Len(t, readPage(t, []byte(page)), 2)
	require.Equal(t, "test: warning: 2 samples are left out: their series have another one for the same time\n", said)
}
