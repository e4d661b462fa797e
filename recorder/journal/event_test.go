package journal_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"fodc/recorder"
	"fodc/recorder/disktest"
	"fodc/recorder/journal"
)

func (k *kit) event(after time.Duration, detail string) recorder.Event {
	at := k.now.Add(after)
	return recorder.Event{Kind: recorder.EventProcessExit, Target: "host", At: at, Last: at, Detail: detail}
}

// eventsOf returns the events of the host that the journal has of processes before the newest one.
func eventsOf(k *kit, since time.Duration) (events []recorder.Event) {
	k.Helper()
	w, _, err := journal.Recover(k.writer.View(), k.disk, journal.Recovery{Base: k.writer.Stats().Base, Since: begin.Add(since).UnixMilli()})
	require.NoError(k, err)
	for _, e := range w.Events() {
		if e.Target == "host" {
			e.At, e.Last = e.At.UTC(), e.Last.UTC()
			events = append(events, e)
		}
	}
	return events
}

// What was told of before the agent was killed is there again, to the millisecond.
func TestEventsSurviveAKill(t *testing.T) {
	k := newKit(t)
	first := k.event(-300*time.Millisecond, "exit code 2")
	require.NoError(t, k.writer.AppendEvent(first, k.now))
	k.run(3, time.Minute)
	second := k.event(123*time.Millisecond, "SIGKILL by bash (28939)")
	require.NoError(t, k.writer.AppendEvent(second, k.now))
	k.pass(time.Hour)
	k.restart()
	require.NoError(t, k.writer.AppendEvent(k.event(0, "of this process"), k.now))
	require.Equal(t, []recorder.Event{first, second}, eventsOf(k, -time.Hour))
	require.Equal(t, []recorder.Event{second}, eventsOf(k, 45*time.Second))
	require.NoError(t, k.append(3), "scrapes go on behind an event")
	k.restart()
	require.Len(t, eventsOf(k, -time.Hour), 3)
}

func TestEventsAreBounded(t *testing.T) {
	k := newKit(t)
	long := k.event(0, strings.Repeat("é", 3000))
	long.Target = strings.Repeat("t", 5000)
	require.ErrorIs(t, k.writer.AppendEvent(long, k.now), journal.ErrInvalid)
	long.Target = "host"
	require.NoError(t, k.writer.AppendEvent(long, k.now))
	k.run(1, 10*time.Second)
	k.restart()
	got := eventsOf(k, -time.Hour)
	require.Len(t, got, 1)
	require.Equal(t, strings.Repeat("é", 250), got[0].Detail)
}

func TestEventOfADiskThatFails(t *testing.T) {
	k := newKit(t)
	k.run(1, 10*time.Second)
	k.disk.Break(disktest.Fault{Op: disktest.Write, Times: 1, Err: syscall.EIO})
	require.ErrorIs(t, k.writer.AppendEvent(k.event(0, "exit code 2"), k.now), syscall.EIO)
	require.Equal(t, journal.StateFailing, k.writer.Stats().State)
	k.pass(journal.MaxRetryDelay)
	require.NoError(t, k.writer.AppendEvent(k.event(0, "exit code 3"), k.now))
	k.run(1, 10*time.Second)
	k.restart()
	got := eventsOf(k, -time.Hour)
	require.Len(t, got, 1)
	require.Equal(t, "exit code 3", got[0].Detail)
	require.NoError(t, k.writer.Close(k.now))
	require.ErrorIs(t, k.writer.AppendEvent(k.event(0, "late"), k.now), journal.ErrClosed)
}
