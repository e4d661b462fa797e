package export

import (
	"bytes"
	"fmt"
	"math"
	"path/filepath"
	"testing"
	"time"

	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/blocks/blockstest"
	"fodc/recorder/journal"
	"fodc/recorder/journal/journaltest"

	"github.com/stretchr/testify/require"
)

// recording writes a journal and keeps in mind what is in it.
type recording struct {
	t    *testing.T
	disk *journaltest.Disk
	now  time.Time
	want map[blockstest.Point]int
}

func newRecording(t *testing.T) *recording {
	return &recording{t: t, disk: journaltest.New(), now: at(0), want: map[blockstest.Point]int{}}
}

// process records scrapes as one process of the node, each 10 s after the one before.
func (r *recording) process(of journal.Node, scrapes int) {
	w := journal.NewWriter(r.disk, journal.Config{Node: of, RetentionTime: 1000 * time.Hour, RetentionBytes: 1 << 30, SyncInterval: time.Second})
	require.NoError(r.t, w.Open(r.now))
	id := messages.Registration{NodeID: of.NodeID, Role: of.Role, PodName: of.PodName, Labels: of.Labels}.Identity()
	labels := fakeNode(id).labels
	families := []recorder.Family{{Name: "x_total", Type: messages.TypeCounter}, {Name: "h", Type: messages.TypeHistogram}, {Name: "g", Type: messages.TypeGauge}}
	list := &recorder.SeriesList{Families: families}
	add := func(family int, s messages.Suffix, own messages.LabelText) {
		list.Keys = append(list.Keys, recorder.SeriesKey{Name: families[family].Name, Suffix: s, Labels: own})
		list.FamilyOf = append(list.FamilyOf, int32(family))
	}
	for i := range 5 {
		add(0, messages.SuffixNone, messages.LabelText(fmt.Sprintf(`container_name="%d"`, i)))
	}
	for _, le := range []string{"0.5", "2.5", "+Inf"} {
		add(1, messages.SuffixBucket, messages.LabelText(fmt.Sprintf(`le="%s"`, le)))
	}
	add(1, messages.SuffixSum, "")
	add(1, messages.SuffixCount, "")
	add(2, messages.SuffixNone, `node_id="x"`)
	for i := range scrapes {
		b := &recorder.Batch{Number: int64(i + 1), Target: "http://node/metrics", At: r.now.UnixMilli(), Series: list}
		for j, k := range list.Keys {
			v := []float64{float64(i), 1 / float64(i+j+1), math.Inf(1), math.NaN()}[(i+j)%4]
			b.Values = append(b.Values, v)
			l, err := labels.Labels(k.Name+k.Suffix.String(), k.Labels)
			require.NoError(r.t, err)
			r.want[blockstest.Point{Series: l.String(), At: b.At, Bits: bitsOf(v)}]++
		}
		require.NoError(r.t, w.Append(b, r.now))
		r.now = r.now.Add(10 * time.Second)
	}
	require.NoError(r.t, w.Close(r.now))
}

// export returns the samples of both formats, which must be the same, and what was said on stderr.
func (r *recording) export(c Config) (points map[blockstest.Point]int, said string) {
	r.t.Helper()
	var page, errs bytes.Buffer
	c.Format = FormatOpenMetrics
	require.NoError(r.t, Run(r.t.Context(), c, r.disk, &page, &errs))
	said = errs.String()
	c.Format, c.Output = FormatTSDB, filepath.Join(r.t.TempDir(), "blocks")
	errs.Reset()
	require.NoError(r.t, Run(r.t.Context(), c, r.disk, &bytes.Buffer{}, &errs))
	require.Equal(r.t, said, errs.String())
	inBlocks, _ := blockstest.Read(r.t, c.Output)
	points = map[blockstest.Point]int{}
	for p, n := range inBlocks {
		p.Bits = bitsOf(math.Float64frombits(p.Bits))
		points[p] += n
	}
	requireSame(r.t, points, readPage(r.t, page.Bytes()))
	return points, said
}

func TestJournalIsExported(t *testing.T) {
	r := newRecording(t)
	r.process(journal.Node{NodeID: "n", Role: "data"}, 100)
	r.now = r.now.Add(5 * time.Hour)
	r.process(journal.Node{NodeID: "n", Role: "data"}, 1000)
	points, said := r.export(Config{})
	requireSame(t, r.want, points)
	require.Empty(t, said)
	start, end := at(50_000), at(99_999)
	points, _ = r.export(Config{Window: messages.Window{Start: start, End: end}})
	require.Len(t, points, 5*11)
}

// Segments of other nodes, and of the same one with other labels, keep theirs.
func TestSegmentsKeepTheirLabels(t *testing.T) {
	r := newRecording(t)
	for _, n := range []journal.Node{{NodeID: "n", Role: "data"}, {NodeID: "m", PodName: "p"}, {NodeID: "n", Role: "hot", Labels: map[string]string{"zone": "z"}},
		{NodeID: "n", Role: "data", AgentVersion: "v2"}, {NodeID: "n", Role: "data", PodName: "n"}} {
		r.process(n, 10)
	}
	points, said := r.export(Config{})
	requireSame(t, r.want, points)
	require.Empty(t, said)
}

// A role that was not known yet is the one that the node says then.
func TestSegmentsBeforeTheRoleIsKnown(t *testing.T) {
	r := newRecording(t)
	r.process(journal.Node{NodeID: "n", Role: messages.RoleUnspecified}, 3)
	r.process(journal.Node{NodeID: "n", Role: "ROLE_DATA", Labels: map[string]string{"type": "hot"}}, 3)
	points, said := r.export(Config{})
	require.Empty(t, said)
	require.Len(t, points, 6*11)
	for p := range points {
		require.Contains(t, p.Series, `node_role="ROLE_DATA"`)
		require.Contains(t, p.Series, `node_type="hot"`)
	}
}

func TestClockThatWasSetBack(t *testing.T) {
	r := newRecording(t)
	r.process(journal.Node{NodeID: "n"}, 200)
	r.now = at(5_000)
	r.process(journal.Node{NodeID: "n"}, 300)
	points, said := r.export(Config{})
	requireSame(t, r.want, points)
	require.Empty(t, said)
}

func TestDamagedSegment(t *testing.T) {
	r := newRecording(t)
	r.process(journal.Node{NodeID: "n"}, 100)
	r.now = r.now.Add(time.Minute)
	r.process(journal.Node{NodeID: "n"}, 100)
	files := r.disk.Files()
	require.Len(t, files, 2)
	r.disk.Flip(files[0].Name, int(files[0].Size)*4)
	r.disk.Put("00000099.segment", []byte("no segment"))
	points, said := r.export(Config{})
	require.Less(t, len(points), len(r.want))
	require.Greater(t, len(points), len(r.want)/2)
	for p := range points {
		require.Contains(t, r.want, p)
	}
	require.Regexp(t, `^fodc journal export: warning: 00000099.segment: .*: the segment is left out
fodc journal export: warning: 0000000\d.segment is damaged at offset \d+: .*: the rest of it is left out
$`, said)
}

func TestJournalWithoutSamples(t *testing.T) {
	require.EqualError(t, Run(t.Context(), Config{Format: FormatOpenMetrics}, journaltest.New(), &bytes.Buffer{}, &bytes.Buffer{}), "the journal has no samples")
}
