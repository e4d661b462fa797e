package agent

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/agent/capture"
	"fodc/actors/agent/pressure"
	"fodc/messages"
	"fodc/recorder"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// nodeUnderPressure is a node's memory and its profiles.
type nodeUnderPressure struct {
	mu       sync.Mutex
	resident uint64
	err      error // of the profiles
	asked    []string
	hang     chan struct{} // a fetch waits for it, or for the end of its context
}

func (n *nodeUnderPressure) set(resident uint64, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.resident, n.err = resident, err
}

func (n *nodeUnderPressure) memory(context.Context) (nodeMemory, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.resident == 0 {
		return nodeMemory{}, errors.New("there is no node")
	}
	return nodeMemory{n.resident << 20, 1000 << 20}, nil
}

func (n *nodeUnderPressure) fetch(ctx context.Context, p capture.Profile, w io.Writer) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked = append(n.asked, p.Type)
	if hang := n.hang; hang != nil {
		n.mu.Unlock()
		select {
		case <-hang:
		case <-ctx.Done():
		}
		n.mu.Lock()
	}
	if err := firstError(ctx.Err(), n.err); err != nil {
		return err
	}
	_, err := io.WriteString(w, strings.Repeat(p.Type[:1], 1000))
	return err
}

func firstError(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// underPressure is inWorld with a pressure profiler.
func underPressure(t *testing.T, test func(t *testing.T, w *world, node *nodeUnderPressure)) {
	dir := filepath.Join(t.TempDir(), "profiles")
	inWorld(t, func(t *testing.T, w *world) {
		node := &nodeUnderPressure{resident: 100}
		w.cfg.Pressure = &PressureConfig{Store: pressure.Config{Dir: dir, MaxArtifacts: 3, MaxBytes: 1 << 20}, TriggerPercent: 75,
			Cooldown: 5 * time.Minute, PprofPort: 6060, memory: node.memory, fetch: node.fetch}
		test(t, w, node)
	})
}

// pressureMetrics returns the latest metrics of the pressure profiler by name and labels.
func (w *world) pressureMetrics() map[string]float64 {
	w.t.Helper()
	blocks, err := w.agent.Latest(w.t.Context(), messages.Selection{})
	require.NoError(w.t, err)
	all := map[string]float64{}
	for _, b := range blocks {
		for _, f := range b.Families {
			for i, s := range f.Series {
				if name, found := strings.CutPrefix(f.Name, "fodc_agent_pressure_"); found {
					all[name+"{"+string(s.Labels)+"}"] = last(f.ValuesOf(i))
				}
			}
		}
	}
	return all
}

// profiles lists the artifacts as a proxy sees them.
func (w *world) profiles() []messages.PressureProfile {
	w.t.Helper()
	var all []messages.PressureProfile
	source := newPressureSource(w.sys.Log(), pressure.NewStore(w.cfg.Pressure.Store))
	require.NoError(w.t, source.Answer(w.t.Context(), messages.ProfilesQuestion{}, func(p messages.Part) error {
		all = append(all, *p.(*messages.PressureProfile))
		return nil
	}))
	return all
}

func TestProfilesAreCapturedUnderPressure(t *testing.T) {
	underPressure(t, func(t *testing.T, w *world, node *nodeUnderPressure) {
		w.run()
		w.pass(time.Minute)
		require.Empty(t, w.profiles())
		require.Empty(t, node.asked)

		node.set(760, nil)
		w.pass(5 * time.Second)
		all := w.profiles()
		require.Len(t, all, 1)
		require.Equal(t, []string{"heap", "goroutine"}, node.asked)
		require.EqualValues(t, 760<<20, all[0].RSSBytes)
		require.EqualValues(t, 1000<<20, all[0].LimitBytes)
		require.EqualValues(t, 75, all[0].TriggerPercent)
		require.EqualValues(t, 750<<20, all[0].ThresholdBytes)
		require.Equal(t, "http://127.0.0.1:6060", all[0].SourceEndpoint)
		require.InDelta(t, 2.5, time.Since(all[0].CapturedAt).Seconds(), 2.5)
		require.Len(t, all[0].Files, 2)

		node.set(990, nil)
		w.pass(4*time.Minute + 50*time.Second)
		require.Len(t, w.profiles(), 1, "the cool-down")
		w.pass(10 * time.Second)
		require.Len(t, w.profiles(), 2)
		w.pass(15*time.Minute + 10*time.Second)
		require.Len(t, w.profiles(), 3)
		got := w.pressureMetrics()
		require.Equal(t, 5.0, got[`captures_total{result="captured"}`], "%v", got)
		require.Equal(t, 2.0, got["evicted_artifacts_total{}"])
		require.Equal(t, 3.0, got["artifacts{}"])
		require.Greater(t, got["artifact_bytes{}"], 6000.0)
		require.Equal(t, 750.0*(1<<20), got["threshold_bytes{}"])
		require.Len(t, w.lines("its profiles were captured as "), 5)
	})
}

// A node without profiles is no noise, and one without a node none at all.
func TestPressureWithoutProfiles(t *testing.T) {
	underPressure(t, func(t *testing.T, w *world, node *nodeUnderPressure) {
		node.set(900, errors.New("http://127.0.0.1:6060/debug/pprof/heap: dial: connection refused"))
		w.run()
		w.pass(59 * time.Minute)
		require.Len(t, node.asked, 2*12)
		require.Equal(t, []string{"the node uses 900 of 1000 MiB of its memory, and its profiles could not be captured: " +
			"http://127.0.0.1:6060/debug/pprof/heap: dial: connection refused; http://127.0.0.1:6060/debug/pprof/heap: dial: connection refused"}, w.lines("of its memory"))
		require.Equal(t, 12.0, w.pressureMetrics()[`captures_total{result="failed"}`])
		require.Empty(t, w.profiles())
		node.set(0, nil)
		w.pass(2 * time.Minute)
		require.Equal(t, 0.0, w.pressureMetrics()["memory_known{}"])
		require.Len(t, w.lines("the node's memory is not known"), 1)
	})
}

// A capture that hangs delays neither readings nor a stop, and is ended by that.
func TestStopWhileCapturing(t *testing.T) {
	underPressure(t, func(t *testing.T, w *world, node *nodeUnderPressure) {
		node.hang = make(chan struct{})
		node.set(900, nil)
		w.run()
		w.pass(10 * time.Minute)
		require.Equal(t, []string{"heap"}, node.asked)
		require.Len(t, w.lines("a capture of profiles hangs"), 1)
		require.Contains(t, w.latest(), "g", "the node is scraped")
		begin := time.Now()
		w.stop()
		require.Zero(t, time.Since(begin))
		entries, err := os.ReadDir(w.cfg.Pressure.Store.Dir)
		require.NoError(t, err)
		require.Empty(t, entries, "nothing half-written is left")
	})
}

// After a panic the profiler goes on, and its cool-down holds.
func TestPressureProfilerPanics(t *testing.T) {
	underPressure(t, func(t *testing.T, w *world, node *nodeUnderPressure) {
		node.set(900, nil)
		cfg := w.cfg
		a := &Agent{sys: w.sys, recorder: spawnRecorder(w.sys, recorder.Limits{})}
		a.startPressure(&cfg)
		w.pass(time.Second)
		require.Len(t, w.profiles(), 1)
		w.sys.Send(a.pressure, memoryRead{err: panicking{}})
		w.pass(4 * time.Minute)
		require.Len(t, w.profiles(), 1)
		w.pass(2 * time.Minute)
		require.Len(t, w.profiles(), 2)
	})
}

// A directory that cannot be used is logged once. Everything else goes on.
func TestPressureDirectoryIsBroken(t *testing.T) {
	underPressure(t, func(t *testing.T, w *world, node *nodeUnderPressure) {
		node.set(900, nil)
		dir := w.cfg.Pressure.Store.Dir
		require.NoError(t, os.WriteFile(dir, nil, 0o600))
		w.run()
		w.pass(11 * time.Minute)
		require.Len(t, w.lines("the directory of pressure profiles cannot be used (--pressure-profiler-dir)"), 1)
		require.Empty(t, node.asked, "the node is not asked for what cannot be kept")
		require.Equal(t, 3.0, w.pressureMetrics()[`captures_total{result="disk"}`])
		require.NoError(t, os.Remove(dir))
		w.pass(5 * time.Minute)
		require.Len(t, w.lines("the directory of pressure profiles can be used again"), 1)
		require.Len(t, w.profiles(), 1)
	})
}

// heldDirectory is a lock that says whether it is held.
type heldDirectory struct{ held atomic.Bool }

func (*heldDirectory) Present() error { return nil }

func (h *heldDirectory) Release() error { h.held.Store(false); return nil }

// A stop gives the directory back.
func TestPressureDirectoryIsGivenBack(t *testing.T) {
	underPressure(t, func(t *testing.T, w *world, node *nodeUnderPressure) {
		node.set(900, nil)
		lock, dir := &heldDirectory{}, w.cfg.Pressure.Store.Dir
		w.cfg.Pressure.Store.Lock = func() (pressure.Lock, error) {
			lock.held.Store(true)
			return lock, os.MkdirAll(dir, 0o750)
		}
		w.run()
		w.pass(time.Minute)
		require.True(t, lock.held.Load())
		w.stop()
		require.False(t, lock.held.Load())
	})
}

func TestNoPressureProfiler(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.run()
		w.pass(time.Minute)
		require.Zero(t, w.alive("pressure"))
		require.Empty(t, w.pressureMetrics())
	})
}

// panicking is an error whose text cannot be had.
type panicking struct{}

func (panicking) Error() string { panic("forced") }

// The page is also what docs/metrics.md is compared with.
func TestPressureMetrics(t *testing.T) {
	s := newPressureState(10*time.Second, 5*time.Minute, 75, false)
	s.read(nodeMemory{800 << 20, 1000 << 20}, "", time.Unix(0, 0))
	s.captureEnded(captureOutcome{result: captureWhole, evicted: 2, usage: &pressureUsage{artifacts: 16, bytes: 12_000_000}}, time.Unix(0, 0))
	page := pageOf(pressureSamples(s.status()))
	const golden = "testdata/pressure.prom"
	if f := flag.Lookup("update"); f.Value.String() == "true" {
		require.NoError(t, os.WriteFile(golden, []byte(page), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), page)
}

// profileChunks returns the parts of an answer.
func profileChunks(t *testing.T, source Source, q messages.Question) ([]*messages.ProfileChunk, error) {
	t.Helper()
	var all []*messages.ProfileChunk
	err := source.Answer(t.Context(), q, func(p messages.Part) error {
		all = append(all, p.(*messages.ProfileChunk))
		return nil
	})
	return all, err
}

func TestProfileIsAnswered(t *testing.T) {
	store := pressure.NewStore(pressure.Config{Dir: t.TempDir(), MaxArtifacts: 2, MaxBytes: 8 << 20})
	text := make([]byte, 2*profileChunkBytes+100)
	for i := range text {
		text[i] = byte(i * 7 >> 8)
	}
	capturedAt := func(minute int, text []byte) pressure.Captured {
		t.Helper()
		c, err := store.Capture(t.Context(), pressure.Event{At: time.Unix(int64(minute)*60, 0), RSSBytes: 1}, []pressure.Profile{{Type: "heap", Filename: "heap.pprof",
			Fetch: func(_ context.Context, w io.Writer) error { _, err := w.Write(text); return err }}})
		require.NoError(t, err)
		return c
	}
	capturedAt(0, nil)
	p := capturedAt(1, text).Profile
	source := newPressureSource(zap.NewNop(), store)
	f := func(offset, length int64, want []byte, chunks int) {
		t.Helper()
		all, err := profileChunks(t, source, messages.ProfileQuestion{ProfileID: p.ID, Type: "heap", Path: p.Files[0].Path, Offset: offset, Length: length})
		require.NoError(t, err)
		require.Len(t, all, chunks)
		var got []byte
		for i, c := range all {
			require.LessOrEqual(t, len(c.Data), profileChunkBytes)
			require.EqualValues(t, len(text), c.FileSize)
			require.Equal(t, i == len(all)-1, c.Last)
			got = append(got, c.Data...)
		}
		require.Equal(t, len(want), len(got))
		require.Equal(t, string(want), string(got))
	}
	size := int64(len(text))
	f(0, 0, text, 3)
	f(0, size, text, 3)
	f(0, 10*size, text, 3)
	f(5, 10, text[5:15], 1)
	f(5, profileChunkBytes, text[5:5+profileChunkBytes], 1)
	f(5, profileChunkBytes+1, text[5:6+profileChunkBytes], 2)
	f(profileChunkBytes, 0, text[profileChunkBytes:], 2)
	f(size-1, 0, text[size-1:], 1)
	f(size-1, 5, text[size-1:], 1)
	f(size, 0, nil, 1)

	bad := func(want string, q messages.Question) {
		t.Helper()
		all, err := profileChunks(t, source, q)
		require.ErrorContains(t, err, want)
		require.Empty(t, all)
	}
	bad("are not in a file of", messages.ProfileQuestion{ProfileID: p.ID, Type: "heap", Offset: size + 1})
	bad("are not in a file of", messages.ProfileQuestion{ProfileID: p.ID, Type: "heap", Offset: -1})
	bad("are not in a file of", messages.ProfileQuestion{ProfileID: p.ID, Type: "heap", Length: -1})
	bad("is not the path", messages.ProfileQuestion{ProfileID: p.ID, Type: "heap", Path: "/etc/passwd"})
	bad("no answer to a question of the type", messages.SchemaQuestion{})

	// A file that is evicted between two pieces of it is an error.
	capturedAt(2, nil)
	bad(pressure.ErrGone.Error(), messages.ProfileQuestion{ProfileID: p.ID, Type: "heap", Offset: 10})
}

// A proxy that stops reading, or goes, ends the read.
func TestProfileAnswerIsLeft(t *testing.T) {
	dir := t.TempDir()
	store := pressure.NewStore(pressure.Config{Dir: dir, MaxArtifacts: 2, MaxBytes: 8 << 20})
	c, err := store.Capture(t.Context(), pressure.Event{At: time.Unix(0, 0)}, []pressure.Profile{{Type: "heap", Filename: "heap.pprof",
		Fetch: func(_ context.Context, w io.Writer) error {
			_, err := w.Write(make([]byte, 4*profileChunkBytes))
			return err
		}}})
	require.NoError(t, err)
	synctest.Test(t, func(t *testing.T) {
		source := newPressureSource(zap.NewNop(), store)
		q := messages.ProfileQuestion{ProfileID: c.Profile.ID, Type: "heap"}
		full := errors.New("the stream is closed")
		require.ErrorIs(t, source.Answer(t.Context(), q, func(messages.Part) error { return full }), full)
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		require.ErrorIs(t, source.Answer(ctx, q, func(messages.Part) error { n++; cancel(); return nil }), context.Canceled)
		require.LessOrEqual(t, n, 4)
		synctest.Wait()
		require.Empty(t, source.slots, "the goroutines have ended")

		// A proxy that reads nothing delays no other one.
		ctx, cancel = context.WithCancel(t.Context())
		for range maxBoundedReads {
			go func() {
				_ = source.Answer(ctx, q, func(messages.Part) error { <-ctx.Done(); return ctx.Err() })
			}()
		}
		synctest.Wait()
		all, err := profileChunks(t, source, q)
		require.NoError(t, err)
		require.Len(t, all, 4)
		cancel()
		synctest.Wait()
		require.Empty(t, source.slots)

		// Reads that hang are few, and an answer that waits for one of them ends with its time.
		stuck := make(chan struct{})
		for range maxBoundedReads {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			require.ErrorIs(t, source.each(ctx, func(func(messages.Part) error) error { <-stuck; return nil }, nil), context.DeadlineExceeded)
			cancel()
		}
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, source.Answer(ctx, q, nil), context.DeadlineExceeded)
		close(stuck)
		synctest.Wait()
		all, err = profileChunks(t, source, q)
		require.NoError(t, err)
		require.Len(t, all, 4)
		require.ErrorContains(t, source.each(t.Context(), func(func(messages.Part) error) error { panic("x") }, nil), "panic: x")
		synctest.Wait()
		require.Empty(t, source.slots)
	})
}

var _ actors.Actor = (*pressureProfiler)(nil)
