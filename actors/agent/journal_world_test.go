package agent

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"fodc/actors"
	"fodc/messages"
	"fodc/recorder/disktest"
	"fodc/recorder/journal"
	"fodc/recorder/journal/journaltest"

	"github.com/stretchr/testify/require"
)

// journalWorld is a world whose agent has a journal on a disk that can fail.
type journalWorld struct {
	*world
	disk *journaltest.Disk
	// locked counts the locks that were taken and not given back.
	locked int

	mu       sync.Mutex
	requests []int64 // when the node's page was asked for, in unix milliseconds
}

// inJournalWorld runs the test in a bubble. The agent is not started.
func inJournalWorld(t *testing.T, test func(t *testing.T, w *journalWorld)) {
	inWorld(t, func(t *testing.T, inner *world) {
		w := &journalWorld{world: inner}
		w.use(journaltest.New())
		w.cfg.Fetch = func(ctx context.Context, url string) ([]byte, string, error) {
			w.mu.Lock()
			w.requests = append(w.requests, time.Now().UnixMilli())
			w.mu.Unlock()
			return w.node.fetch(ctx, url)
		}
		test(t, w)
	})
}

// use gives the agent that is started next a disk.
func (w *journalWorld) use(d *journaltest.Disk) {
	w.disk = d
	w.cfg.Journal = &JournalConfig{Dir: "storage", FS: d,
		Lock:   func() error { w.locked = 1; return nil },
		Unlock: func() error { w.locked = 0; return nil },
		Config: journal.Config{RetentionTime: 72 * time.Hour, RetentionBytes: 64 << 20, SyncInterval: 10 * time.Second, MinFree: 0.05}}
}

// scraped returns when the node's page was asked for.
func (w *journalWorld) scraped() []int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.requests)
}

// requireOnTime checks that the node was scraped on time.
func (w *journalWorld) requireOnTime() {
	w.t.Helper()
	all := w.scraped()
	for i := 2; i < len(all); i++ {
		require.InDelta(w.t, w.cfg.ScrapeInterval.Milliseconds(), all[i]-all[i-1], 1)
	}
}

// kill ends the agent as if its process was killed, and gives the next one what it leaves.
func (w *journalWorld) kill() {
	w.t.Helper()
	after := w.disk.After(disktest.Kill, rand.New(rand.NewPCG(1, 1)))
	w.stop()
	w.use(after)
}

func (w *journalWorld) health() messages.JournalHealth {
	w.t.Helper()
	h, err := w.agent.Health(w.t.Context())
	require.NoError(w.t, err)
	require.NotNil(w.t, h.Journal)
	return *h.Journal
}

// requireState checks the state of the journal.
func (w *journalWorld) requireState(want messages.JournalState) messages.JournalHealth {
	w.t.Helper()
	h := w.health()
	require.Equal(w.t, want, h.State, h.Error)
	return h
}

// onDisk returns how many scrapes of a target the disk has.
func (w *journalWorld) onDisk(target string) (scrapes int) {
	w.t.Helper()
	v, err := journal.OpenView(w.disk)
	require.NoError(w.t, err)
	require.Empty(w.t, v.Unreadable)
	for _, s := range v.Segments {
		i := slices.IndexFunc(s.Targets, func(t journal.TargetInfo) bool { return t.Name == target })
		if i >= 0 {
			scrapes += s.Targets[i].Scrapes
		}
	}
	return scrapes
}

// scrapesOf returns the times of a target's scrapes in a window of all time, in the order of the
// answer.
func (w *journalWorld) scrapesOf(name string) (times []int64, partial messages.PartialReason) {
	w.t.Helper()
	sel := messages.Selection{Window: messages.Window{End: time.Now().Add(time.Hour)}, Names: []string{name}}
	taken, err := actors.Ask[snapshotTaken](w.t.Context(), w.sys, w.agent.recorder, read{selection: sel})
	require.NoError(w.t, err)
	for _, b := range taken.snapshot.Next(1 << 30) {
		times = append(times, b.Times...)
	}
	return times, taken.partial
}
