//go:build bench && linux && (amd64 || arm64)

package kernel

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestBenchKernelLoad says how much slower the same load is while it is measured, at what costs most: switches between threads of the
// node as often as possible, and reads past the page cache.
func TestBenchKernelLoad(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data")
	require.NoError(t, exec.Command("dd", "if=/dev/zero", "of="+file, "bs=1M", "count=64", "conv=fsync").Run())
	for _, load := range []string{"switches", "reads " + file} {
		without, with := []float64{}, []float64{}
		for range agentRuns {
			without = append(without, switchRate(t, load, nil))
			tr := Start(Config{DataDirs: []string{filepath.Dir(file)}})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			require.NoError(t, tr.Wait(ctx).Err)
			cancel()
			with = append(with, switchRate(t, load, tr))
			tr.Close()
		}
		kind, _, _ := strings.Cut(load, " ")
		t.Logf("%-8s %.0f waits a second without, %.0f with kernel telemetry: %.3f of it (each: %.0f, %.0f)", kind, mean(without), mean(with), mean(with)/mean(without), without, with)
	}
}

// switchRate runs a load, and returns how often its threads wait in a second; a tracer follows it.
func switchRate(t *testing.T, load string, tr *Tracer) float64 {
	t.Helper()
	cmd := startLoad(t, load)
	defer func() { _ = cmd.Process.Kill() }()
	if tr != nil {
		require.NoError(t, tr.Follow(cmd.Process.Pid))
	}
	before, begin := voluntarySwitches(t, cmd.Process.Pid), time.Now()
	<-time.After(loadTime)
	return (voluntarySwitches(t, cmd.Process.Pid) - before) / time.Since(begin).Seconds()
}

func voluntarySwitches(t *testing.T, pid int) (n float64) {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	require.NoError(t, err)
	for _, file := range files {
		text, _ := os.ReadFile(file)
		for line := range strings.Lines(string(text)) {
			if name, value, _ := strings.Cut(line, ":"); name == "voluntary_ctxt_switches" {
				var of float64
				_, _ = fmt.Sscan(value, &of)
				n += of
			}
		}
	}
	return n
}
