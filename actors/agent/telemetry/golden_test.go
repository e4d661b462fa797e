package telemetry

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"fodc/recorder"

	"github.com/stretchr/testify/require"
)

func TestGoldenSamples(t *testing.T) {
	if os.Getpagesize() != 4096 {
		t.Skip("the kernel counts in pages, and the golden pages in pages of 4 KiB")
	}
	f := func(host string, config func(string) Config, wantProblems ...string) {
		t.Helper()
		all, problems := readAll(Sources(config(filepath.Join("testdata", host))))
		checkSamples(t, all)
		var parts []string
		for part := range problems {
			parts = append(parts, part)
		}
		require.ElementsMatch(t, wantProblems, parts, "%v", problems)
		golden := filepath.Join("testdata", host+".prom")
		if *update {
			require.NoError(t, os.WriteFile(golden, []byte(page(all)), 0o644))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		require.Equal(t, string(want), page(all))
	}
	f("v2", modern)
	f("v1", old, "pressure", "pressure of the agent's control group", "pressure of the node's control group", "reclaim of the node's control group",
		"open files of the node's process", "limits of the node's process", "I/O of the node's process")
}

// What a real host says can be recorded, too.
func TestThisHost(t *testing.T) {
	all, _ := readAll(Sources(Config{DataDirs: []string{os.TempDir(), "/"}, NodeProcess: "no such process"}))
	checkSamples(t, all)
	got := values(all)
	require.Greater(t, got["node_memory_MemTotal_bytes"], 1e6)
	require.Greater(t, got[`node_cpu_seconds_total{cpu="0",mode="idle"}`], 0.0)
	require.Greater(t, got["node_boot_time_seconds"], 1e9)
}

// Names of our own follow the conventions; those of node_exporter are what they are.
func TestNamesPassTheLint(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed")
	}
	for _, c := range []Config{modern("testdata/v2"), old("testdata/v1")} {
		all, _ := readAll(Sources(c))
		var own []recorder.Sample
		for _, r := range all {
			if strings.HasPrefix(r.Name, "fodc_") {
				own = append(own, r)
			}
		}
		require.Greater(t, len(own), 10)
		cmd := exec.Command(promtool, "check", "metrics")
		cmd.Stdin = strings.NewReader(page(own))
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		require.NoError(t, cmd.Run(), out.String())
		require.Empty(t, out.String())

		cmd = exec.Command(promtool, "check", "metrics")
		cmd.Stdin = strings.NewReader(page(all))
		out.Reset()
		cmd.Stdout, cmd.Stderr = &out, &out
		_ = cmd.Run() // node_exporter's names do not pass
		require.NotContains(t, out.String(), "error while linting", "the page can be parsed")
		require.NotContains(t, out.String(), "fodc_")
	}
}

// BenchmarkInterval is what this host costs each interval: read and recorded.
func BenchmarkInterval(b *testing.B) {
	sources := Sources(Config{DataDirs: []string{os.TempDir()}, NodeProcess: processName(b)})
	w := recorder.NewWindow(recorder.Limits{})
	now, n := readAt, 0
	before := cpuTime(b)
	for b.Loop() {
		var all []recorder.Sample
		for _, s := range sources {
			all = append(all, s.Read(now).Samples...)
		}
		now = now.Add(10 * time.Second)
		n = w.Append(recorder.Target{Name: "host"}, recorder.Scrape{At: now, Samples: all}).Samples
	}
	b.ReportMetric(float64(n), "samples")
	// Of a machine that has other things to do, the time that passes says little.
	b.ReportMetric((cpuTime(b)-before).Seconds()*1e3/float64(b.N), "cpu-ms/op")
}

// BenchmarkRunQueue is what the threads of the node's process cost each interval.
func BenchmarkRunQueue(b *testing.B) {
	for _, threads := range []int{10, 100, maxThreads} {
		b.Run(fmt.Sprintf("%d threads", threads), func(b *testing.B) {
			begun, release := make(chan struct{}), make(chan struct{})
			for range threads {
				go func() {
					runtime.LockOSThread() // Without an unlock the thread ends.
					begun <- struct{}{}
					<-release
				}()
				<-begun
			}
			defer close(release)
			q, before := newRunQueue(), cpuTime(b)
			for b.Loop() {
				var r samples
				if err := readRunQueue(&r, "/proc", q, os.Getpid(), 1); err != nil && len(r.list) == 0 {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(q.threads)), "threads")
			b.ReportMetric((cpuTime(b)-before).Seconds()*1e3/float64(b.N), "cpu-ms/op")
		})
	}
}

// cpuTime is what this process has used.
func cpuTime(b *testing.B) time.Duration {
	used, err := OwnCPUTime()
	require.NoError(b, err)
	return used
}

// processName returns what the kernel calls this process.
func processName(b *testing.B) string {
	text, err := readText("/proc/self", "comm")
	require.NoError(b, err)
	return strings.TrimSpace(text)
}
