package capture

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func stays(s Step) Step { s.Stays = true; return s }

// timed is an evidence with the time of each step's begin, in seconds.
func timed(e *evidence, hurry <-chan struct{}) (r *Runner, began func() map[string]float64) {
	r = e.runner()
	r.Hurry = hurry
	begin, all := time.Now(), map[string]float64{}
	inner := r.Begin
	r.Begin = func(s Step) {
		inner(s)
		e.mu.Lock()
		defer e.mu.Unlock()
		all[s.Path] = time.Since(begin).Seconds()
	}
	return r, func() map[string]float64 {
		e.mu.Lock()
		defer e.mu.Unlock()
		return all
	}
}

func large(s Step) Step {
	s.Limit, s.Run = 1<<20, writes(strings.Repeat("x", 200<<10), 0, nil)
	return s
}

// What can wait comes after what cannot, with a pause that is longer the more was written before.
func TestPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEvidence()
		r, began := timed(e, make(chan struct{}))
		r.Turn = NewTurn()
		var waited time.Duration
		begin := time.Now()
		r.Waited = func() { waited = time.Since(begin) }
		r.Run(t.Context(), []Step{
			large(stays(stepOf("log", nil))),
			stays(heavy(stepOf("mutex", writes("x", 0, nil)))),
			stepOf("status", writes("x", 0, nil)),
			heavy(stepOf("heap", writes("x", 3*time.Second, nil))),
			{Path: "found", Timeout: time.Second, Stays: true, More: func(context.Context) ([]Step, error) {
				return []Step{large(stepOf("a", nil)), stepOf("b", writes("x", 0, nil))}, nil
			}},
			heavy(stepOf("goroutine", writes("x", 0, nil))),
		})
		for path, want := range map[string]float64{"status": 0, "heap": 0, "goroutine": 3, "log": 10, "mutex": 14, "found": 16, "a": 18, "b": 22} {
			require.InDelta(t, want, began()[path], .01, path)
		}
		require.Len(t, e.files, 7)
		require.InDelta(t, 22, waited.Seconds(), .01)
	})
}

// All pauses together have an end.
func TestManyPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEvidence()
		r, began := timed(e, make(chan struct{}))
		var steps []Step
		for n := range 100 {
			steps = append(steps, large(stays(stepOf(fmt.Sprint(n), nil))))
		}
		r.Run(t.Context(), steps)
		require.Len(t, e.files, 100)
		require.InDelta(t, maxPauses.Seconds(), began()["99"], .01)
	})
}

func TestPauseAfter(t *testing.T) {
	require.Equal(t, leastPause, pauseAfter(0))
	require.Equal(t, leastPause+time.Second, pauseAfter(pacedBytes))
	require.Equal(t, longestStop, pauseAfter(tailBytes))
	require.Equal(t, longestStop, pauseAfter(1<<62))
}

// When there is haste, the rest comes at once, whatever hangs.
func TestHaste(t *testing.T) {
	f := func(after time.Duration, hang bool, want string) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			e, hurry := newEvidence(), make(chan struct{})
			r, began := timed(e, hurry)
			first := writes("x", 0, nil)
			if hang {
				first = writes("x", time.Hour, nil)
			}
			go func() {
				time.Sleep(after)
				close(hurry)
			}()
			r.Run(t.Context(), []Step{stays(stepOf("a", first)), stays(stepOf("b", writes("x", 0, nil))), stays(stepOf("c", writes("x", 0, nil))), stays(stepOf("d", writes("x", 0, nil)))})
			at := began()
			require.Equal(t, want, fmt.Sprint(at["a"], at["b"], at["c"], at["d"]))
		})
	}
	f(0, false, "0 0 0 0")
	f(4*time.Second, false, "4 4 4 4")
	f(12500*time.Millisecond, false, "10 12.000009765 12.5 12.5")
	f(12*time.Second, true, "10 12 12 12")
}

// A stop of the agent begins nothing of what waits.
func TestStopInAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		e := newEvidence()
		r, _ := timed(e, make(chan struct{}))
		begin := time.Now()
		go func() {
			time.Sleep(time.Second)
			cancel(errors.New("the agent stops"))
		}()
		r.Run(ctx, []Step{stays(stepOf("a", writes("x", 0, nil)))})
		require.Equal(t, time.Second, time.Since(begin))
		require.Equal(t, "it was not begun: the agent stops", e.reason("a"))
	})
}

// A log has what it had at the opening, whatever becomes of it until that is written.
func TestNodeLogThatChangesInThePause(t *testing.T) {
	f := func(hang bool, change func(path string), after string) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "node.log")
		write(t, path, "first password=hunter2\n2\nwithout an e")
		synctest.Test(t, func(t *testing.T) {
			e, frozen, done := newEvidence(), make(chan struct{}), make(chan struct{})
			r, began := timed(e, frozen)
			go func() {
				r.Run(t.Context(), Plan(Config{NodeLogs: []string{path}, Frozen: frozen}))
				close(done)
			}()
			time.Sleep(time.Second)
			change(path)
			if !hang {
				time.Sleep(30 * time.Second)
				require.Equal(t, 10.0, began()["logs/node.log"])
			}
			close(frozen)
			<-done
			require.Equal(t, map[string]string{"logs/node.log": "first password=***\n2\n", "logs/node-after.log": after}, e.files)
			require.Empty(t, e.reason("logs/node.log")+e.reason("logs/node-after.log"))
		})
	}
	for _, early := range []bool{false, true} {
		f(early, func(path string) { write(t, path, "nd\n3\n") }, "without an end\n3\n")
		f(early, func(path string) { require.NoError(t, os.Truncate(path, 0)) }, "")
	}
	f(false, func(path string) {
		require.NoError(t, os.Rename(path, path+".1"))
		write(t, path, "new\n")
	}, "without an e\nnew\n")
	f(false, func(path string) {
		require.NoError(t, os.Remove(path))
		write(t, path, "new\n")
	}, "without an e\nnew\n")
}

// Of more logs than are held the end is written at once.
func TestManyNodeLogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var paths []string
		dir := t.TempDir()
		for n := range maxHeldLogs + 2 {
			paths = append(paths, filepath.Join(dir, fmt.Sprintf("%d.log", n)))
			write(t, paths[n], "x\n")
		}
		e := newEvidence()
		r, began := timed(e, make(chan struct{}))
		r.Run(t.Context(), Plan(Config{NodeLogs: paths}))
		require.Len(t, e.files, len(paths))
		require.Zero(t, began()["logs/5.log"])
		require.Equal(t, 10.0, began()["logs/0.log"])
	})
}
