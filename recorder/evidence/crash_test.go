package evidence_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"fodc/messages"
	"fodc/recorder/disktest"
	"fodc/recorder/evidence"
	"fodc/recorder/evidence/evidencetest"
)

var (
	oneSeed   = flag.Uint64("seed", 0, "play this seed only, or as many from this one on as -seeds says")
	manySeeds = flag.Uint64("seeds", 0, "how many seeds to play (default 1000, with -seed 1)")
)

// defaultSeeds are enough to come to see all kinds of faults more than a hundred times; make seeds plays more.
const defaultSeeds = 1000

// TestCrashes lets processes store incidents on a disk that fails, and end in any operation, by a kill or a
// power cut. After that each document is one that was put, names files that are there and whole, and nothing
// else is served. A failure prints its seed and what was done:
//
//	go test ./recorder/evidence -run TestCrashes -seed 7
func TestCrashes(t *testing.T) {
	first, count := uint64(1), uint64(defaultSeeds)
	if *oneSeed > 0 {
		first, count = *oneSeed, 1
	}
	if *manySeeds > 0 {
		count = *manySeeds
	}
	// Thousands of worlds are thousands of times the same garbage.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	var next, failures atomic.Uint64
	var total crashCounts
	var mu sync.Mutex
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for n := next.Add(1) - 1; n < count && failures.Load() < 3; n = next.Add(1) - 1 {
				w := newCrashWorld(first+n, false)
				if err := w.play(); err != nil {
					failures.Add(1)
					again := newCrashWorld(first+n, true)
					err = errors.Join(err, again.play())
					t.Errorf("seed %d (again: go test ./recorder/evidence -run TestCrashes -seed %d)\n%s%v", first+n, first+n, again.log.String(), err)
				}
				mu.Lock()
				total.add(w.counts)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	t.Logf("%+v", total)
	if count >= defaultSeeds && failures.Load() == 0 {
		for name, n := range map[string]int{"puts": total.Puts, "evictions": total.Evicted, "power cuts": total.PowerCuts, "parts gone on with": total.Resumed,
			"files not named": total.Unnamed, "incidents without a document": total.Undone, "half-written files": total.Halves, "full": total.Full, "faults": total.Faults} {
			if n < 100 {
				t.Errorf("%s: %d, too few to say anything", name, n)
			}
		}
	}
}

// crashCounts say what the worlds came to see, so that the test cannot pass by doing nothing.
type crashCounts struct {
	Puts, Evicted, PowerCuts, Kills, Resumed, Unnamed, Undone, Halves, Full, Faults, Deleted int
}

func (c *crashCounts) add(o crashCounts) {
	c.Puts += o.Puts
	c.Evicted += o.Evicted
	c.PowerCuts += o.PowerCuts
	c.Kills += o.Kills
	c.Resumed += o.Resumed
	c.Unnamed += o.Unnamed
	c.Undone += o.Undone
	c.Halves += o.Halves
	c.Full += o.Full
	c.Faults += o.Faults
	c.Deleted += o.Deleted
}

func (w *crashWorld) note(format string, args ...any) {
	if w.verbose {
		fmt.Fprintf(&w.log, format+"\n", args...)
	}
}

// The power goes after a kill: what the first process has renamed and not synced, the second one must not take
// for done.
func TestPowerCutAfterKill(t *testing.T) {
	const a, b = "nodes/data-0/a", "nodes/data-0/b"
	for _, second := range []struct {
		what string
		do   func(s *evidence.Store) error
	}{
		{"remove", func(s *evidence.Store) error { return s.Remove(idOf(1), a) }},
		{"replace", func(s *evidence.Store) error {
			w, err := s.Create(idOf(1), a, "", 0)
			if err != nil {
				return err
			}
			_, _ = w.Write([]byte("another"))
			_, err = w.Commit()
			return err
		}},
		{"delete", func(s *evidence.Store) error { return s.Delete(idOf(1)) }},
		{"name", func(s *evidence.Store) error {
			f, err := s.Stat(idOf(1), b)
			if err != nil {
				return err
			}
			return s.Put(incident(1, messages.IncidentFrozen, f))
		}},
	} {
		t.Run(second.what, func(t *testing.T) {
			done := 0
			for stop := 1; stop < 20; stop++ {
				for seed := range uint64(20) {
					rng := rand.New(rand.NewPCG(seed, uint64(stop)))
					d := evidencetest.New()
					s := open(t, d, evidence.Limits{})
					require.NoError(t, s.Put(incident(1, messages.IncidentFrozen, write(t, s, idOf(1), a, []byte("a")))))
					d.StopAfter(stop, rng)
					if w, err := s.Create(idOf(1), b, "", 0); err == nil {
						_, _ = w.Write([]byte("b"))
						_, _ = w.Commit()
					}
					_ = s.Put(incident(1, messages.IncidentFrozen))
					d = d.After(disktest.Kill, rng)
					if second.do(open(t, d, evidence.Limits{})) == nil {
						done++
					}
					s = open(t, d.After(disktest.PowerCut, rng), evidence.Limits{})
					for i := range s.All() {
						require.NoError(t, s.Verify(i.ID))
					}
				}
			}
			require.Greater(t, done, 20)
		})
	}
}
