package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fodc/actors/agent/capture"
	"fodc/actors/agent/ramps"
	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// growingNode is a node's memory, and its profiles.
type growingNode struct {
	mu       sync.Mutex
	resident uint64 // MiB; 0: it is not there
	limit    uint64
	asked    []string
}

func (n *growingNode) set(resident uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.resident = resident
}

func (n *growingNode) memory(context.Context) (nodeMemory, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.resident == 0 {
		return nodeMemory{}, errors.New("there is no node")
	}
	return nodeMemory{n.resident << 20, n.limit << 20}, nil
}

// steps are the heap, which takes two seconds, and the goroutines.
func (n *growingNode) steps() []capture.Step {
	step := func(kind string, takes time.Duration) capture.Step {
		return capture.Step{What: messages.EvidenceProfile + "/" + kind, Path: "profiles/" + kind + ".pb.gz", Limit: 1 << 20, Timeout: 20 * time.Second, Heavy: true,
			Run: func(ctx context.Context, w io.Writer) error {
				select {
				case <-time.After(takes):
				case <-ctx.Done():
					return context.Cause(ctx)
				}
				n.mu.Lock()
				defer n.mu.Unlock()
				n.asked = append(n.asked, kind)
				if n.resident == 0 {
					return errors.New("it was reset")
				}
				_, err := fmt.Fprintf(w, "%s at %d", kind, n.resident)
				return err
			}}
	}
	return []capture.Step{step("heap", 2*time.Second), step("goroutine", 100*time.Millisecond)}
}

func rampWorld(t *testing.T, dir string, limit uint64, test func(t *testing.T, w *world, node *growingNode)) {
	t.Helper()
	inWorld(t, func(t *testing.T, w *world) {
		node := &growingNode{limit: limit, resident: 50}
		w.cfg.Ramps = &RampConfig{Store: ramps.Config{Dir: dir}, memory: node.memory, steps: node.steps}
		test(t, w, node)
	})
}

// adopted runs what an incident takes of what was captured before it, and returns the files.
func adopted(t *testing.T, source capture.RampSource, from time.Time) map[string]string {
	t.Helper()
	files := map[string]string{}
	var lock sync.Mutex
	runner := capture.Runner{Open: func(s capture.Step) (capture.Output, error) {
		return &keptFile{lock: &lock, files: files, path: s.Path}, nil
	},
		Done: func(r capture.Result) {
			lock.Lock()
			defer lock.Unlock()
			if r.Err != nil {
				files["error of "+r.Step.Path] = r.Err.Error()
			}
		}}
	runner.Run(t.Context(), capture.Plan(capture.Config{Ramps: source, From: from}))
	return files
}

type keptFile struct {
	strings.Builder
	lock  *sync.Mutex
	files map[string]string
	path  string
}

func (k *keptFile) Commit() (messages.EvidenceFile, error) {
	k.lock.Lock()
	defer k.lock.Unlock()
	k.files[k.path] = k.String()
	return messages.EvidenceFile{Path: k.path, Bytes: int64(k.Len())}, nil
}
func (k *keptFile) Abort() {}

// The kernel ends a node twelve seconds after it has passed 60 % of its memory: its profiles are there.
func TestProfilesBeforeAnOOMKill(t *testing.T) {
	for _, where := range []string{"disk", "memory"} {
		t.Run(where, func(t *testing.T) {
			dir := ""
			if where == "disk" {
				dir = filepath.Join(t.TempDir(), "ramps")
			}
			var id string
			rampWorld(t, dir, 1700, func(t *testing.T, w *world, node *growingNode) {
				w.run()
				begin := time.Now()
				for _, r := range oomCurve {
					node.set(r)
					w.pass(rampInterval)
				}
				node.set(0) // It is gone.
				w.pass(time.Minute)
				files := adopted(t, w.agent.rampStore, begin)
				require.Len(t, files, 2, "%v", files)
				for path, text := range files {
					require.True(t, messages.ValidEvidencePath(path))
					require.Regexp(t, `^profiles/ramp-\d{8}T\d{6}\.\d{3}Z-(heap|goroutine)\.pb\.gz$`, path)
					require.Regexp(t, ` at 13\d\d$`, text)
				}
				require.Equal(t, []string{"heap", "goroutine"}, node.asked)
				require.Empty(t, adopted(t, w.agent.rampStore, time.Now()))
				list, err := w.agent.rampStore.Since(begin)
				require.NoError(t, err)
				require.EqualValues(t, 1103<<20, list[0].Resident)
				id = list[0].ID
			})
			if dir != "" { // It survives the agent.
				list, err := ramps.NewStore(ramps.Config{Dir: dir}).Since(time.Time{})
				require.NoError(t, err)
				require.Len(t, list, 2)
				require.Equal(t, id, list[0].ID)
			}
		})
	}
}

func TestRampsOfANodeThatGivesNothing(t *testing.T) {
	rampWorld(t, "", 1000, func(t *testing.T, w *world, node *growingNode) {
		w.run()
		node.set(700)
		w.pass(3 * time.Second)
		node.set(0)
		w.pass(10 * time.Minute)
		require.Equal(t, []string{"heap", "goroutine"}, node.asked)
		require.Empty(t, adopted(t, w.agent.rampStore, time.Time{}))
		logged := 0
		for _, e := range w.logs.All() {
			if strings.Contains(e.Message, "could not be captured for an incident") {
				logged++
			}
		}
		require.Equal(t, 1, logged)
	})
}

// What is captured for an incident and while memory grows is asked for one after the other.
func TestRampsWaitForTheirTurn(t *testing.T) {
	rampWorld(t, "", 1000, func(t *testing.T, w *world, node *growingNode) {
		w.run()
		require.NoError(t, w.agent.turn.Take(t.Context()))
		node.set(700)
		w.pass(20 * time.Second)
		require.Empty(t, node.asked)
		w.agent.turn.Give()
		w.pass(5 * time.Second)
		require.Equal(t, []string{"heap", "goroutine"}, node.asked)
		require.Len(t, adopted(t, w.agent.rampStore, time.Time{}), 2)
	})
}

// A directory that cannot be used costs nothing but the profiles.
func TestRampsWithoutADisk(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	rampWorld(t, filepath.Join(file, "ramps"), 1000, func(t *testing.T, w *world, node *growingNode) {
		w.run()
		node.set(700)
		w.pass(time.Minute)
		files := adopted(t, w.agent.rampStore, time.Time{})
		require.Len(t, files, 1)
		require.Contains(t, files["error of profiles/ramp"], "cannot be kept")
		require.Empty(t, node.asked)
	})
}

func TestRampMetrics(t *testing.T) {
	s := newRampState()
	s.captured(captureWhole, "", rampStart)
	requireGolden(t, "testdata/ramps.prom", pageOf(rampSamples(s.status())))
}
