//go:build bench && linux

package causesbench

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"fodc/actors/agent/telemetry"
	"fodc/actors/agent/telemetry/kernel"

	"github.com/stretchr/testify/require"
)

// piecesVariable selects pieces by their names.
const piecesVariable = "FODC_CAUSES_PIECES"

const (
	scrapeInterval = 5 * time.Second
	usualLasts     = 3 * time.Minute
	pieceLasts     = 65 * time.Second
	// settles is how long the node has its usual load before a piece begins.
	settles = 10 * time.Second
)

// pieces are what happens to a node with the usual load: what it does itself besides, what another process does, or what happens to its disk.
var pieces = []struct {
	name, node, other string
	latency           time.Duration
}{
	{name: "usual"},
	{name: "compaction", node: "merge"},
	{name: "memory_short", node: "short"},
	{name: "disk_contended", node: "contend"},
	{name: "disk_used_by_others", other: "disk"},
	{name: "disk_slow", latency: slowLatency},
	{name: "working_set_too_large", node: "wide"},
	{name: "page_cache_dropped", node: "drop"},
	{name: "cpu_quota_short", node: "burn"},
	{name: "cpu_short", other: "processor"},
}

// TestRecordCauses records the pieces.
func TestRecordCauses(t *testing.T) {
	selected := regexp.MustCompile(os.Getenv(piecesVariable))
	for _, p := range pieces {
		if selected.MatchString(p.name) {
			t.Run(p.name, func(t *testing.T) { record(t, p.name, p.node, p.other, p.latency) })
		}
	}
}

func record(t *testing.T, name, node, other string, latency time.Duration) {
	d := newDisk()
	fs := newFileSystem(t, d)
	hastenWorkers(t)
	makeGroups(t)
	n := play(t, fs.dir)
	nodeMemory.add(t, n.Process.Pid)
	nodeCPU.add(t, n.Process.Pid)
	t.Cleanup(func() { d.setLatency(0) }) // What is still asked for is answered, so that all processes can end.
	s := sources{device: fs.device, memory: nodeMemory.dir()}
	s.read = startSources(t, fs.dir, n.Process.Pid)
	n.do(t, "warm")
	d.setLatency(usualLatency)
	n.do(t, "usual")
	<-time.After(settles)

	lasts := usualLasts
	text := bytes.NewBufferString(fmt.Sprintf("# %s, recorded %s\n", name, time.Now().UTC().Format(time.DateOnly)))
	begin := time.Now()
	write(text, begin, s.scrape(t, begin))
	if name != "usual" {
		lasts = pieceLasts
	}
	if node != "" {
		n.do(t, node)
	}
	if other != "" {
		o := play(t, fs.dir)
		othersCPU.add(t, o.Process.Pid)
		o.do(t, other)
	}
	if latency != 0 {
		d.setLatency(latency)
	}
	for at := begin.Add(scrapeInterval); at.Sub(begin) <= lasts; at = at.Add(scrapeInterval) {
		<-time.After(time.Until(at))
		now := time.Now()
		write(text, now, s.scrape(t, now))
	}
	n.do(t, "nothing") // It has not ended meanwhile.
	keep(t, name, text.Bytes())
}

// startSources starts what an agent reads of a node, and waits until it measures the node and its disk.
func startSources(t *testing.T, dir string, pid int) (all []*telemetry.Source) {
	t.Helper()
	tracer := kernel.Start(kernel.Config{DataDirs: []string{dir}})
	t.Cleanup(tracer.Close)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.Empty(t, tracer.Wait(ctx).Missing())
	require.NoError(t, tracer.Follow(pid))
	file := filepath.Join(t.TempDir(), "pid")
	require.NoError(t, os.WriteFile(file, []byte(strconv.Itoa(pid)), 0o600))
	all = append(telemetry.Sources(telemetry.Config{NodePIDFile: file}), tracer.Source())
	for found := false; !found; <-time.After(100 * time.Millisecond) {
		require.NoError(t, ctx.Err(), "the disk is not found")
		for _, sample := range tracer.Source().Read(time.Now()).Samples {
			found = found || sample.Name == "fodc_kernel_disk_seconds"
		}
	}
	return all
}
