package proxy

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

func TestWhichClocksAreCorrected(t *testing.T) {
	f := func(want time.Duration, timing *messages.Timing) {
		t.Helper()
		require.Equal(t, want, clockOffset(timing))
	}
	f(0, nil)
	for _, off := range []time.Duration{0, time.Millisecond, time.Second} {
		f(0, &messages.Timing{ClockOffset: off})
		f(0, &messages.Timing{ClockOffset: -off})
	}
	for _, off := range []time.Duration{time.Second + 1, -time.Second - 1, time.Hour, math.MinInt64, math.MaxInt64} {
		f(off, &messages.Timing{ClockOffset: off})
	}
}

func TestNodesAreAskedByTheirClocks(t *testing.T) {
	now, noon := time.Unix(100, 0), time.Unix(43200, 0).UTC()
	begin := func() *collectState {
		s := &collectState{}
		node := func(id string, offset time.Duration) target {
			return target{agentID: id, online: true, timing: &messages.Timing{ClockOffset: offset}}
		}
		s.begin([]target{node("behind", time.Minute), node("ahead", -time.Minute), node("right", time.Second),
			{agentID: "unknown", online: true}}, 8, now.Add(time.Second), now)
		return s
	}
	s := begin()
	asked := func(agentID string, start, end time.Time) {
		t.Helper()
		require.Equal(t, messages.Window{Start: start, End: end}, s.windowFor(agentID, messages.Window{Start: noon, End: noon.Add(time.Hour)}))
	}
	for _, id := range []string{"behind", "ahead", "right", "unknown", "nobody"} {
		asked(id, noon, noon.Add(time.Hour)) // The query does not want clocks corrected.
	}
	require.Zero(t, s.nodes[0].ClockOffset)

	s = begin()
	s.correctClocks()
	asked("behind", noon.Add(-time.Minute), noon.Add(59*time.Minute))
	asked("ahead", noon.Add(time.Minute), noon.Add(61*time.Minute))
	asked("right", noon, noon.Add(time.Hour))
	asked("unknown", noon, noon.Add(time.Hour))
	asked("nobody", noon, noon.Add(time.Hour))

	// An open bound stays open, and no other one becomes it.
	require.Equal(t, messages.Window{}, s.windowFor("behind", messages.Window{}))
	require.Equal(t, messages.Window{Start: noon.Add(-time.Minute)}, s.windowFor("behind", messages.Window{Start: noon}))
	require.Equal(t, messages.Window{End: noon.Add(time.Minute)}, s.windowFor("ahead", messages.Window{End: noon}))
	require.False(t, s.windowFor("behind", messages.Window{Start: time.Time{}.Add(time.Minute)}).IsLatest())

	var offsets []time.Duration
	for _, n := range s.result().Nodes {
		offsets = append(offsets, n.ClockOffset)
	}
	require.Equal(t, []time.Duration{time.Minute, -time.Minute, 0, 0}, offsets)
}

// A node whose clock is off gets the window by its clock, if the query wants that, and the latest
// as any other.
func TestCollectionCorrectsClocks(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		a := w.agent(columnar("n1"), always(1))
		asked := func() (windows []messages.Window) {
			for _, frame := range a.requests() {
				r, err := wire.FromRequest(frame)
				require.NoError(t, err)
				windows = append(windows, r.Selection.Window)
			}
			return windows
		}
		beat := proto.Clone(a.first).(*wire.RegisterAgentRequest)
		beat.RoundTrip, beat.ClockOffset = durationpb.New(time.Millisecond), durationpb.New(time.Hour)
		require.NoError(t, a.reg.Send(beat))
		synctest.Wait()
		noon := time.Unix(43200, 0).UTC()
		q := messages.Query{Selection: messages.Selection{Window: messages.Window{Start: noon, End: noon}}}
		require.Zero(t, w.collect(q).Nodes[0].ClockOffset)
		q.CorrectClocks = true
		require.Equal(t, time.Hour, w.collect(q).Nodes[0].ClockOffset)
		q.Selection.Window = messages.Window{}
		require.Equal(t, time.Hour, w.collect(q).Nodes[0].ClockOffset)
		before := noon.Add(-time.Hour)
		require.Equal(t, []messages.Window{{Start: noon, End: noon}, {Start: before, End: before}, {}}, asked())
	})
}
