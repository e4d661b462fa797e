package inspect

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"fodc/recorder/journal"

	"github.com/stretchr/testify/require"
)

// at returns a time of one day in unix milliseconds.
func at(clock string) int64 {
	t, err := time.Parse("2006-01-02 15:04:05", "2026-05-04 "+clock)
	if err != nil {
		panic(err)
	}
	return t.UnixMilli()
}

var node = journal.Node{NodeID: "data-0", Role: "datanode-hot", PodName: "pod-0", Labels: map[string]string{"zone": "a", "disk": "nvme"}, AgentVersion: "v1.2.3"}

// segment returns a segment of one target that is scraped every ten seconds.
func segment(number int64, from, to string, change ...func(*journal.SegmentInfo)) journal.SegmentInfo {
	scrapes := (at(to)-at(from))/10_000 + 1
	s := journal.SegmentInfo{Number: number, Name: "0000000" + string(rune('0'+number)) + ".segment", Size: scrapes * 890, Node: node,
		Created: at(from), Closed: at(to), FirstNumber: number * 1000, LastNumber: number*1000 + scrapes - 1, MinTime: at(from), MaxTime: at(to)}
	s.Targets = []journal.TargetInfo{{Name: "http://127.0.0.1:2121/metrics", Series: 1000, Scrapes: int(scrapes), Samples: scrapes * 1000,
		FirstNumber: s.FirstNumber, LastNumber: s.LastNumber, MinTime: s.MinTime, MaxTime: s.MaxTime}}
	for _, f := range change {
		f(&s)
	}
	return s
}

func open(s *journal.SegmentInfo)   { s.Closed = 0 }
func pinned(s *journal.SegmentInfo) { s.Pinned = true }

func mark(kind journal.MarkKind, clock string) func(*journal.SegmentInfo) {
	return func(s *journal.SegmentInfo) { s.Marks = append(s.Marks, journal.Mark{Kind: kind, At: at(clock)}) }
}

func started(clock string) func(*journal.SegmentInfo) { return mark(journal.MarkAgentStarted, clock) }
func stopped(clock string) func(*journal.SegmentInfo) { return mark(journal.MarkAgentStopped, clock) }

func damaged(s *journal.SegmentInfo) {
	s.Closed = 0
	s.Damage = &journal.Damage{Offset: 4711, Reason: "a frame of 80 bytes with a wrong checksum"}
}

// everything is a journal with all that a report can show.
func everything() *journal.View {
	return &journal.View{
		Segments: []journal.SegmentInfo{
			segment(1, "00:00:00", "02:00:00", started("00:00:00"), pinned),
			segment(2, "02:00:10", "03:00:00", stopped("03:00:01")),
			segment(3, "03:10:00", "03:20:00", started("03:09:59"), damaged),
			segment(4, "03:30:00", "03:40:00", started("03:30:00"), open),
			segment(6, "04:00:00", "05:00:00", open),
		},
		Unreadable: []journal.Unreadable{{Name: "00000005.segment", Size: 100, Err: errors.New("00000005.segment: damaged at offset 0: it does not begin\nas a segment does")}},
	}
}

func tableOf(t *testing.T, r Report) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, r.WriteTable(&b))
	return "\n" + b.String()
}

func TestTable(t *testing.T) {
	require.Equal(t, `
journal   /var/lib/fodc/journal
node      data-0, role datanode-hot, pod pod-0, disk=nvme, zone=a, recorded by version v1.2.3
segments  6 (2 closed, 1 open, 1 unclosed, 1 damaged, 1 unreadable, 1 pinned)
time      2026-05-04T00:00:00Z to 2026-05-04T05:00:00Z (5h0m0s)
scrapes   1564
samples   1564000
bytes     1392060 (1.3 MiB), 0.89 a sample

segment  state           from                  to                    targets  series  scrapes  samples   bytes  bytes/sample
1        closed, pinned  2026-05-04T00:00:00Z  2026-05-04T02:00:00Z        1    1000      721   721000  641690          0.89
2        closed          2026-05-04T02:00:10Z  2026-05-04T03:00:00Z        1    1000      360   360000  320400          0.89
3        damaged         2026-05-04T03:10:00Z  2026-05-04T03:20:00Z        1    1000       61    61000   54290          0.89
4        unclosed        2026-05-04T03:30:00Z  2026-05-04T03:40:00Z        1    1000       61    61000   54290          0.89
6        open            2026-05-04T04:00:00Z  2026-05-04T05:00:00Z        1    1000      361   361000  321290          0.89

gaps
from                  to                    lasted  why
2026-05-04T03:00:01Z  2026-05-04T03:09:59Z  9m58s   the agent was stopped
2026-05-04T03:20:00Z  2026-05-04T03:30:00Z  10m0s   the agent was killed, or the machine failed
2026-05-04T03:40:00Z  2026-05-04T04:00:00Z  20m0s   nothing could be written, or segments were removed

damage
file              offset  reason
00000003.segment  4711    a frame of 80 bytes with a wrong checksum
00000005.segment  -       damaged at offset 0: it does not begin\nas a segment does
`, tableOf(t, New("/var/lib/fodc/journal", everything())))
}

// The document shows what the program prints.
func TestDocumentShowsTheTable(t *testing.T) {
	v := everything()
	v.Unreadable = nil
	doc, err := os.ReadFile("../../docs/journal.md")
	require.NoError(t, err)
	shown := strings.ReplaceAll(strings.TrimSuffix(tableOf(t, New("/var/lib/fodc/journal", v)), "\n"), "\n", "\n    ")
	shown = strings.ReplaceAll(shown, "\n    \n", "\n\n")
	require.Contains(t, string(doc), "    $ fodc journal inspect /var/lib/fodc"+shown+"\n")
}

func TestTableOfAnEmptyJournal(t *testing.T) {
	require.Equal(t, `
journal   /data/fodc
segments  none
`, tableOf(t, New("/data/fodc", &journal.View{})))
}

func TestTableOfSeveralNodes(t *testing.T) {
	other := segment(2, "00:01:00", "00:01:00", func(s *journal.SegmentInfo) {
		s.Node = journal.Node{NodeID: "data-1\x1b[1m", Role: "meta", AgentVersion: "v1"}
	}, open)
	empty := segment(3, "00:02:00", "00:02:00", func(s *journal.SegmentInfo) {
		*s = journal.SegmentInfo{Number: 3, Name: "00000003.segment", Size: 80, Node: node, Created: at("00:02:00")}
	})
	r := New("d", &journal.View{Segments: []journal.SegmentInfo{segment(1, "00:00:00", "00:00:50"), other, empty}})
	r.Verified = true
	require.Equal(t, `
journal   d
node      1: data-0, role datanode-hot, pod pod-0, disk=nvme, zone=a, recorded by version v1.2.3, in 2 segments
node      2: data-1\u001b[1m, role meta, recorded by version v1, in 1 segments
segments  3 (1 closed, 1 open, 1 unclosed)
time      2026-05-04T00:00:00Z to 2026-05-04T00:01:00Z (1m0s)
scrapes   7
samples   7000
bytes     6310 (6.2 KiB), 0.90 a sample
verified  every record was read, and none is damaged

segment  state     from                  to                    targets  series  scrapes  samples  bytes  bytes/sample  node
1        closed    2026-05-04T00:00:00Z  2026-05-04T00:00:50Z        1    1000        6     6000   5340          0.89     1
2        unclosed  2026-05-04T00:01:00Z  2026-05-04T00:01:00Z        1    1000        1     1000    890          0.89     2
3        open      -                     -                           0       0        0        0     80             -     1
`, tableOf(t, r))
}

func TestGaps(t *testing.T) {
	f := func(want []Gap, segments ...journal.SegmentInfo) {
		t.Helper()
		require.Equal(t, want, findGaps(segments))
	}
	gap := func(from, to string, why Why) []Gap { return []Gap{{at(from), at(to), why}} }
	f(nil)
	f(nil, segment(1, "00:00:00", "02:00:00", started("00:00:00")))
	f(nil, segment(1, "00:00:00", "02:00:00"), segment(2, "02:00:10", "03:00:00"))
	f(nil, segment(1, "00:00:00", "02:00:00"), segment(2, "02:00:30", "03:00:00")) // two scrapes failed to be written
	f(gap("02:00:00", "02:00:40", NotWritten), segment(1, "00:00:00", "02:00:00"), segment(2, "02:00:40", "03:00:00"))
	f(nil, segment(1, "00:00:00", "02:00:00"), segment(2, "01:00:00", "03:00:00")) // the clock was set back
	// A start is a gap, however short.
	f(gap("02:00:00", "02:00:02", Killed), segment(1, "00:00:00", "02:00:00"), segment(2, "02:00:03", "03:00:00", started("02:00:02")))
	f(gap("02:00:01", "02:00:02", Stopped), segment(1, "00:00:00", "02:00:00", stopped("02:00:01")),
		segment(2, "02:00:03", "03:00:00", started("02:00:02")))
	// An agent that ends before its first scrape.
	none := func(s *journal.SegmentInfo) {
		s.FirstNumber, s.LastNumber, s.MinTime, s.MaxTime, s.Targets = 0, 0, 0, 0, nil
	}
	f(append(gap("02:00:00", "02:10:00", Killed), Gap{at("02:10:00"), at("02:20:00"), Killed}),
		segment(1, "00:00:00", "02:00:00"), segment(2, "02:10:00", "02:10:00", none, started("02:10:00")),
		segment(3, "02:20:00", "02:30:00", started("02:20:00")))
	f(gap("02:00:00", "02:20:00", Killed), segment(1, "00:00:00", "02:00:00"), segment(2, "02:10:00", "02:10:00", none),
		segment(3, "02:20:00", "02:30:00", started("02:20:00")))
	// With the scrape interval of the target that is scraped least often.
	slow := func(s *journal.SegmentInfo) {
		s.Targets = append(s.Targets, journal.TargetInfo{Name: "slow", Scrapes: 121, MinTime: s.MinTime, MaxTime: s.MaxTime})
	}
	f(nil, segment(1, "00:00:00", "02:00:00", slow), segment(2, "02:03:00", "03:00:00"))
}

func TestTornRecord(t *testing.T) {
	torn := segment(1, "00:00:00", "00:01:00", open, func(s *journal.SegmentInfo) {
		s.Damage = &journal.Damage{Offset: 7, Reason: "3 of 8 bytes are there", Torn: true}
	})
	r := New("d", &journal.View{Segments: []journal.SegmentInfo{torn}})
	require.Equal(t, []Damage{{"00000001.segment", 7, "the last record is cut off: 3 of 8 bytes are there"}}, r.Damage)
	require.Equal(t, Damaged, r.Segments[0].State)
}
