package simulation

import (
	"flag"
	"fmt"
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

var (
	oneSeed   = flag.Uint64("seed", 0, "play this seed only, or as many from this one on as -seeds says")
	large     = flag.Bool("large", false, "play larger worlds: more nodes, and more that happens to them")
	manySeeds = flag.Uint64("seeds", 0, "how many seeds to play (default 400, with -seed 1)")
)

const defaultSeeds = 400

// stuckAfter is how long, in real time, a seed may take.
const stuckAfter = 2 * time.Minute

func TestMain(m *testing.M) {
	// Hundreds of worlds are hundreds of times the same garbage.
	debug.SetGCPercent(300)
	goleak.VerifyTestMain(m)
}

func TestSimulation(t *testing.T) {
	first, count := uint64(1), uint64(defaultSeeds)
	if *oneSeed > 0 {
		first, count = *oneSeed, 1
	}
	if *manySeeds > 0 {
		count = *manySeeds
	}
	for seed := first; seed < first+count; seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			play(t, newPlan(seed, *large), count == 1)
		})
	}
}

// play plays a plan in a bubble of its own.
func play(t *testing.T, p plan, verbose bool) {
	var w *world
	watchdog := time.AfterFunc(stuckAfter, func() { panic(fmt.Sprintf("seed %d is stuck for %s", p.seed, stuckAfter)) })
	defer watchdog.Stop()
	defer func() {
		failure := ""
		if w != nil {
			failure = w.report()
		}
		if reason := recover(); reason != nil {
			failure += fmt.Sprintf("\npanic: %v", reason)
		}
		if failure != "" {
			flags := fmt.Sprintf("-seed %d", p.seed)
			if *large {
				flags += " -large"
			}
			t.Errorf("seed %d (again: go test -race ./actors/simulation -run Simulation %s)\n%s", p.seed, flags, failure)
		}
	}()
	synctest.Test(t, func(*testing.T) {
		w = newWorld(p, func(w *world) *zap.Logger { return zap.New(&traceLog{world: w, all: verbose}) })
		w.run()
	})
	if verbose && !t.Failed() {
		t.Log(p)
	}
}

// traceLog is a log that writes to the trace of a world. An error is a fault: there is
// nothing in the world that should not be expected.
type traceLog struct {
	world  *world
	all    bool
	fields []zapcore.Field
}

func (s *traceLog) Enabled(level zapcore.Level) bool {
	return level >= zapcore.ErrorLevel || s.all && level >= zapcore.InfoLevel
}

func (s *traceLog) With(fields []zapcore.Field) zapcore.Core {
	return &traceLog{world: s.world, all: s.all, fields: append(s.fields[:len(s.fields):len(s.fields)], fields...)}
}

func (s *traceLog) Check(e zapcore.Entry, c *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if s.Enabled(e.Level) {
		return c.AddCore(e, s)
	}
	return c
}

func (s *traceLog) Write(e zapcore.Entry, fields []zapcore.Field) error {
	m := zapcore.NewMapObjectEncoder()
	for _, f := range append(s.fields[:len(s.fields):len(s.fields)], fields...) {
		f.AddTo(m)
	}
	tell := s.world.note
	if e.Level >= zapcore.ErrorLevel {
		tell = s.world.fail
	}
	tell("%s %s %v", e.Level, e.Message, m.Fields)
	return nil
}

func (s *traceLog) Sync() error { return nil }
