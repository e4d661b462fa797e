package proxy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/evidence"
	"fodc/recorder/journal"
	"fodc/recorder/journal/journaltest"

	"github.com/stretchr/testify/require"
)

// keptDisks are the directories of nodes, in memory.
type keptDisks map[string]*journaltest.Disk

func (d keptDisks) config(keep time.Duration) *KeepLastConfig {
	return &KeepLastConfig{Time: keep,
		Dir: func(name string) journal.FS {
			if d[name] == nil {
				d[name] = journaltest.New()
			}
			return d[name]
		},
		List:   func() ([]string, error) { return slices.Collect(maps.Keys(d)), nil },
		Remove: func(name string) error { delete(d, name); return nil },
	}
}

// slowNode is a node whose scrapes are in its window only when they have ended.
type slowNode struct {
	window *recorder.Window
	// ahead is by how much its clock is ahead.
	ahead   time.Duration
	waiting []recordedScrape
	// scraped has all times of scrapes by target, by the proxy's clock.
	scraped map[string][]int64
}

type recordedScrape struct {
	target string
	at     time.Time // by the node's clock
	ends   time.Time // by the proxy's
}

// recordUntil makes scrapes of three targets up to a time.
func (n *slowNode) recordUntil(next map[string]time.Time, now time.Time, random *rand.Rand) {
	for target, interval := range map[string]time.Duration{"fast": 3 * time.Second, "node": 10 * time.Second, "host": 15 * time.Second} {
		for !next[target].After(now) {
			at := next[target]
			next[target] = at.Add(interval + time.Duration(random.IntN(400)-200)*time.Millisecond)
			took := time.Duration(random.IntN(900)) * time.Millisecond
			if random.IntN(5) == 0 {
				took = min(interval-500*time.Millisecond, 9*time.Second)
			}
			n.scraped[target] = append(n.scraped[target], at.UnixMilli())
			n.waiting = append(n.waiting, recordedScrape{target, at.Add(n.ahead), at.Add(took)})
		}
	}
	slices.SortStableFunc(n.waiting, func(a, b recordedScrape) int { return a.ends.Compare(b.ends) })
	for len(n.waiting) > 0 && !n.waiting[0].ends.After(now) {
		s := n.waiting[0]
		n.waiting = n.waiting[1:]
		n.window.Append(recorder.Target{Name: s.target}, recorder.Scrape{At: s.at, Samples: []recorder.Sample{{Name: "x_" + s.target, Value: float64(s.at.UnixMilli())}}})
	}
}

func (n *slowNode) answer(q messages.Query, jitter time.Duration) *messages.Collection {
	a := messages.NodeAnswer{Identity: messages.Identity{NodeID: "n1", Role: "data"}}
	if n.ahead != 0 {
		a.ClockOffset = -n.ahead + jitter
	}
	sel := q.Selection
	sel.Window.Start, sel.Window.End = sel.Window.Start.Add(-a.ClockOffset), sel.Window.End.Add(-a.ClockOffset)
	s := n.window.Snapshot(sel)
	for some := s.Next(1 << 20); some != nil; some = s.Next(1 << 20) {
		a.Blocks = append(a.Blocks, some...)
	}
	return &messages.Collection{Nodes: []messages.NodeAnswer{a}}
}

// keptTimesOf returns the times of all scrapes that are kept, by target.
func keptTimesOf(t require.TestingT, cfg *KeepLastConfig, id string) map[string][]int64 {
	v, files, err := cfg.openKept(id)
	require.NoError(t, err)
	require.Empty(t, v.Unreadable)
	all := map[string][]int64{}
	r := v.NewReader(files, journal.Query{Selection: messages.Selection{ScrapeTimes: true}})
	defer r.Close()
	for {
		blocks, err := r.Next(1 << 20)
		require.NoError(t, err)
		if blocks == nil {
			return all
		}
		for i := range blocks {
			all[blocks[i].Target] = append(all[blocks[i].Target], blocks[i].Times...)
		}
	}
}

// Each scrape is kept once, whenever it ends, whatever fails meanwhile, and over restarts of the proxy.
func TestLastMinutesAreKept(t *testing.T) {
	const keep = 10 * time.Minute
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(seed, 2))
		n := &slowNode{window: recorder.NewWindow(recorder.Limits{}), scraped: map[string][]int64{}}
		if random.IntN(2) == 0 {
			n.ahead = time.Duration(random.IntN(7200)-3600) * time.Second
		}
		disks := keptDisks{}
		cfg := disks.config(keep)
		now := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
		begin, next := now, map[string]time.Time{"fast": now, "node": now, "host": now}
		fails := 0
		collect := func(_ context.Context, q messages.Query) (*messages.Collection, error) {
			if fails > 0 {
				fails--
				return nil, errors.New("too many collections")
			}
			return n.answer(q, time.Duration(random.IntN(20)-10)*time.Millisecond), nil
		}
		k := &keptNode{cfg: cfg, nodeID: "n1", collect: collect}
		for range 200 {
			now = now.Add(keepInterval + time.Duration(random.IntN(3000))*time.Millisecond)
			n.recordUntil(next, now, random)
			switch random.IntN(20) {
			case 0:
				fails = random.IntN(20)
			case 1:
				if random.IntN(2) == 0 {
					require.NoError(t, k.close(now))
				}
				k = &keptNode{cfg: cfg, nodeID: "n1", collect: collect}
			}
			_ = k.fetch(t.Context(), now)
		}
		fails = 0
		for range 3 {
			now = now.Add(30 * time.Second)
			n.recordUntil(next, now, random)
			require.NoError(t, k.fetch(t.Context(), now))
		}
		got := keptTimesOf(t, cfg, "n1")
		slack := int64(0)
		if n.ahead != 0 {
			slack = 30
		}
		from, to := now.Add(-keep).UnixMilli(), now.Add(-time.Minute).UnixMilli()
		for target, want := range n.scraped {
			requireOnce(t, fmt.Sprintf("seed %d, %s, %s ahead", seed, target, n.ahead), want, got[target], from, to, slack)
		}
		bytes, series := k.usage()
		require.Equal(t, disks["n1"].Total(), bytes)
		require.True(t, series > 0 && series <= 3)
		for _, times := range got {
			require.Greater(t, slices.Min(times), now.Add(-3*keep).UnixMilli(), "older ones go")
		}
		require.Greater(t, now.Sub(begin), 2*keep)
	}
}

// requireOnce fails the test unless each of the times wanted, from one to another, is there once.
func requireOnce(t *testing.T, which string, want, got []int64, from, to, slack int64) {
	t.Helper()
	slices.Sort(got)
	for i := range got {
		require.True(t, i == 0 || got[i]-got[i-1] > 2*slack, "%s: %d is there twice", which, got[i])
	}
	for _, at := range want {
		if at < from || at > to {
			continue
		}
		require.True(t, slices.ContainsFunc(got, func(g int64) bool { return g >= at-slack && g <= at+slack }), "%s: %d is missing", which, at)
	}
}

func TestKeepLastState(t *testing.T) {
	now := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
	s := newKeepLastState()
	var all []string
	for i := range maxKeepJobs + 2 {
		all = append(all, fmt.Sprint("n", i))
	}
	next := func(want ...string) {
		t.Helper()
		ids, full := s.next(now)
		require.False(t, full)
		require.ElementsMatch(t, want, ids)
	}
	s.online(all, now)
	next(all[:maxKeepJobs]...)
	next()
	require.Zero(t, s.fetched("n0", false, 1, 1, now))
	require.Equal(t, 1, s.fetched("n1", true, 0, 0, now))
	next(all[maxKeepJobs:]...)
	now = now.Add(keepInterval)
	for _, id := range all[2:] {
		s.fetched(id, false, 0, 0, now)
	}
	next("n0", "n1")
	require.Equal(t, 2, s.fetched("n1", true, 0, 0, now))
	s.fetched("n0", false, 0, 0, now)
	require.Equal(t, now.Add(2*keepInterval), s.nodes["n1"].due)

	// Those that came last have no room.
	s.fetched("n0", false, maxKeptBytes, 0, now)
	s.fetched("n1", false, 1, 1, now)
	s.nodes["n1"].due = now
	now = now.Add(time.Hour)
	s.online(all, now)
	ids, full := s.next(now)
	require.True(t, full)
	require.Equal(t, []string{"n0"}, ids)
	s.fetched("n0", false, 0, maxKeptSeries, now)
	now = now.Add(keepInterval)
	ids, full = s.next(now)
	require.True(t, full)
	require.Contains(t, ids, "n0")
	for _, id := range ids {
		s.fetched(id, false, 0, 0, now)
	}

	// One that has left is removed after a while.
	s.online(all[1:], now)
	require.Empty(t, s.gone(now.Add(keptGone-keepInterval-1)))
	now = now.Add(keptGone)
	s.online(all[1:], now)
	require.Equal(t, []string{"n0"}, s.gone(now))
	require.Empty(t, s.gone(now))
	s.removed("n0", errors.New("busy"), now)
	require.Empty(t, s.gone(now))
	now = now.Add(keptGone)
	s.online(all[1:], now)
	require.Equal(t, []string{"n0"}, s.gone(now))
	s.removed("n0", nil, now)
	require.NotContains(t, s.nodes, "n0")
}

// A full disk, or one that fails, costs samples only while it lasts.
func TestLastMinutesOnABadDisk(t *testing.T) {
	now := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
	n := &slowNode{window: recorder.NewWindow(recorder.Limits{}), scraped: map[string][]int64{}}
	next := map[string]time.Time{"fast": now, "node": now, "host": now}
	disks := keptDisks{}
	cfg := disks.config(10 * time.Minute)
	cfg.MinFree = 0.05
	random := rand.New(rand.NewPCG(1, 1))
	k := &keptNode{cfg: cfg, nodeID: "n1", collect: func(_ context.Context, q messages.Query) (*messages.Collection, error) { return n.answer(q, 0), nil }}
	fetch := func() error {
		now = now.Add(time.Minute)
		n.recordUntil(next, now, random)
		return k.fetch(t.Context(), now)
	}
	require.NoError(t, fetch())
	disks["n1"].SetSpace(1<<30, 1<<30)
	require.ErrorIs(t, fetch(), journal.ErrPaused)
	disks["n1"].SetSpace(1<<30, 0)
	for fetch() != nil {
	}
	before := len(keptTimesOf(t, cfg, "n1")["node"])
	require.NoError(t, fetch())
	require.Greater(t, len(keptTimesOf(t, cfg, "n1")["node"]), before)
}

// When a node is lost, its last minutes become its evidence.
func TestLostNodeHasEvidence(t *testing.T) {
	disks := keptDisks{}
	inEvidenceWorld(t, disks.config(10*time.Minute), func(t *testing.T, w *world, _ *evidence.Store) {
		a := w.connect(baseline("n1"))
		a.beat()
		a.openMetrics(always(1))
		begin := time.Now()
		for range 12 {
			time.Sleep(10 * time.Second)
			a.beat()
		}
		_ = a.conn.Close()
		time.Sleep(time.Minute)
		r := w.fetch(fetchEvidence{incidentID: anIncidentID, from: evidenceKept,
			node: messages.IncidentNode{NodeID: "n1", From: begin, To: time.Now()}})
		require.True(t, r.done)
		require.Empty(t, r.missing)
		require.Len(t, r.files, 3)
		r = w.fetch(fetchEvidence{incidentID: anIncidentID, from: evidenceKept, node: messages.IncidentNode{NodeID: "n2", From: begin, To: time.Now()}})
		require.Equal(t, errNoSamples.Error(), r.missing[0].Reason)
		require.Len(t, disks, 2)
		disks["of a former process"] = journaltest.New()
		time.Sleep(keptGone + time.Minute)
		synctest.Wait()
		require.Empty(t, disks)
	})
}
