package journal_test

import (
	"fmt"
	"math"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/disktest"
	"fodc/recorder/journal"
	"fodc/recorder/journal/journaltest"
)

var everything = messages.Selection{Window: messages.Window{Start: time.Unix(-1<<40, 0)}}

// What was recovered goes on as if the process had never ended.
func TestRecoveredIsAsIfItHadNotEnded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &history{T: t, disk: journaltest.New(), clock: begin, everything: recorder.NewWindow(recorder.Limits{})}
		h.start(false)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if rapid.IntRange(0, 9).Draw(t, "ends") == 0 {
				h.times = []time.Time{begin.Add(-1000 * time.Hour)} // Recover all.
				h.start(true)
			}
			h.scrape()
		}
		for _, name := range targets { // What only a former process has scraped is not among the latest.
			h.scrapeOf(name)
		}
		for _, sel := range []messages.Selection{everything, {}, h.drawSelection()} {
			want, got := newAnswer(t), newAnswer(t)
			want.addSnapshot(h.everything.Snapshot(sel), math.MaxInt)
			got.addSnapshot(h.memory.Snapshot(sel), math.MaxInt)
			require.Equal(t, want.samples, got.samples)
			require.Equal(t, want.families, got.families)
		}
		events := slices.DeleteFunc(h.memory.Events(), func(e recorder.Event) bool { return e.Target == "agent" })
		require.Equal(t, h.everything.Events(), events)
	})
}

// threeRuns is a journal of three runs of an agent: the first was stopped, the second killed.
// Each has six scrapes in a minute.
func threeRuns(t *testing.T) *kit {
	k := newKit(t)
	k.run(3, time.Minute)
	require.NoError(t, k.writer.Close(k.now))
	k.pass(time.Hour)
	k.restart()
	k.run(3, time.Minute)
	k.pass(time.Hour)
	k.restart()
	k.run(3, time.Minute)
	return k
}

func recovered(k *kit, base int64, since time.Duration) (scrapes []string, events []string, err error) {
	w, done, err := journal.Recover(k.writer.View(), k.disk, journal.Recovery{Base: base, Since: begin.Add(since).UnixMilli()})
	for _, h := range w.Held() {
		require.EqualValues(k, 1-done.Scrapes, h.Oldest, "the newest one has number 0")
	}
	for blocks := w.Snapshot(everything).Next(math.MaxInt); len(blocks) > 0; blocks = blocks[1:] {
		for _, at := range blocks[0].Times {
			scrapes = append(scrapes, time.UnixMilli(at).Sub(begin).String())
		}
	}
	require.Len(k, scrapes, done.Scrapes)
	for _, e := range w.Events() {
		require.Equal(k, "agent", e.Target)
		events = append(events, fmt.Sprintf("%s %s: %s", e.At.Sub(begin), e.Kind, e.Detail))
	}
	return scrapes, events, err
}

const killed = "agent_stopped: the agent ended without being stopped; this is the time of its last scrape"

func TestRecoverMakesEvents(t *testing.T) {
	k := threeRuns(t)
	scrapes, events, err := recovered(k, 18, 0)
	require.NoError(t, err)
	require.Len(t, scrapes, 18)
	require.Equal(t, []string{
		"0s agent_started: version test", "1m0s agent_stopped: the agent was stopped",
		"1h1m0s agent_started: version test", "1h1m50s " + killed,
		"2h2m0s agent_started: version test", "2h2m50s " + killed,
	}, events)
}

func TestRecoverOfThisTime(t *testing.T) {
	k := threeRuns(t)
	scrapes, events, err := recovered(k, 12, 61*time.Minute+30*time.Second)
	require.NoError(t, err)
	require.Equal(t, []string{"1h1m30s", "1h1m40s", "1h1m50s"}, scrapes, "what this process wrote is left out")
	require.Equal(t, []string{"1h1m50s " + killed}, events, "and this process has not ended")

	scrapes, events, err = recovered(k, 18, 3*time.Hour)
	require.NoError(t, err)
	require.Empty(t, scrapes)
	require.Empty(t, events)
}

// A scrape of an older time behind a wanted one is wanted, too: the window has all from its
// oldest one on.
func TestRecoverLeavesNothingOut(t *testing.T) {
	k := newKit(t)
	k.run(3, time.Minute)
	k.now = begin.Add(-time.Hour)
	k.run(3, time.Minute)
	k.now = begin.Add(time.Minute)
	k.run(3, time.Minute)
	scrapes, _, err := recovered(k, 18, time.Minute)
	require.NoError(t, err)
	require.Equal(t, []string{"1m0s", "1m10s", "1m20s", "1m30s", "1m40s", "1m50s"}, scrapes)

	k.now = begin.Add(2*time.Minute - 40*time.Second)
	k.run(3, 10*time.Second)
	scrapes, _, err = recovered(k, 19, 110*time.Second)
	require.NoError(t, err)
	require.Equal(t, []string{"1m50s", "1m20s"}, scrapes)
}

// The window has what was recorded behind a segment that cannot be read.
func TestRecoverBehindAnError(t *testing.T) {
	k := threeRuns(t)
	k.disk.Break(disktest.Fault{Op: disktest.Read, Name: "00000002.segment", Err: syscall.EIO})
	scrapes, _, err := recovered(k, 18, 0)
	require.ErrorIs(t, err, syscall.EIO)
	require.ErrorContains(t, err, "00000002.segment")
	require.Len(t, scrapes, 6)
}

func TestRecoverOfDamage(t *testing.T) {
	k := threeRuns(t)
	k.disk.Vanish("00000001.segment")
	size := len(k.disk.Bytes("00000002.segment"))
	k.disk.Flip("00000002.segment", 8*(size-3))
	w, done, err := journal.Recover(k.writer.View(), k.disk, journal.Recovery{Base: 18})
	require.NoError(t, err)
	require.Equal(t, 11, done.Scrapes)
	require.Equal(t, 33, done.Samples)
	require.Equal(t, 33, w.Stats().Samples)
	require.Len(t, done.Damage, 1)
	require.Equal(t, "00000002.segment", done.Damage[0].Name)
	require.Zero(t, w.Stats().Appended, "a replay counts as nothing")
}

// A clock that was ahead once does not have all that was recorded since then replayed.
func TestRecoverBehindAClockThatWasAhead(t *testing.T) {
	k := newKit(t)
	k.now = begin.Add(10 * time.Hour)
	k.run(3, time.Minute)
	k.now = begin
	k.run(3, time.Minute)
	scrapes, _, err := recovered(k, 12, time.Hour)
	require.NoError(t, err)
	require.Empty(t, scrapes)
}

// The mark of a start is in each segment until one has a scrape. It was one start.
func TestRecoverOfOneStart(t *testing.T) {
	k := newKit(t)
	k.disk.Break(disktest.Fault{Op: disktest.Write, Skip: 2, Times: 1, Err: syscall.EIO})
	k.disk.Break(disktest.Fault{Op: disktest.Remove, Err: syscall.EIO})
	require.Error(t, k.append(3))
	k.pass(time.Minute)
	k.run(3, time.Minute)
	require.Len(t, k.names(), 2)
	_, events, err := recovered(k, 7, 0)
	require.NoError(t, err)
	require.Equal(t, []string{"0s agent_started: version test", "1m50s " + killed}, events)
}
