//go:build bench && linux

package causesbench

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"fodc/actors/agent/telemetry"
	"fodc/messages"
	"fodc/recorder"

	"github.com/prometheus/procfs/blockdevice"
	"github.com/stretchr/testify/require"
)

// recordings is where the pieces are.
const recordings = "../../actors/agent/rules/testdata/causes"

// families is what the rules about waits read, and some more that shows what happened.
var families = []string{"fodc_node_process_wait_seconds", "fodc_node_process_reclaim_seconds", "fodc_node_process_sync_seconds", "fodc_node_process_sync_errors_total",
	"fodc_kernel_disk_seconds", "fodc_kernel_disk_errors_total", "fodc_kernel_writeback_errors_total", "fodc_node_page_cache_pages_total",
	"fodc_node_process_read_bytes_total", "fodc_node_process_write_bytes_total", "fodc_node_process_cpu_seconds_total", "fodc_node_process_start_time_seconds",
	"fodc_cgroup_cpu_periods_total", "fodc_cgroup_cpu_throttled_periods_total", "node_cpu_seconds_total", "node_procs_blocked"}

// sources is what is read for each scrape.
type sources struct {
	read   []*telemetry.Source
	device string
	memory string // the control group of the node's memory
}

// scrape returns the samples of the families.
func (s sources) scrape(t *testing.T, now time.Time) (all []recorder.Sample) {
	t.Helper()
	for _, source := range s.read {
		for _, sample := range source.Read(now).Samples {
			foreign := slices.Contains(sample.Labels, messages.Label{Name: "process", Value: "agent"})
			if sample.Suffix != messages.SuffixBucket && slices.Contains(families, sample.Name) && !foreign {
				all = append(all, sample)
			}
		}
	}
	return append(append(all, s.disk(t)...), s.refaults(t))
}

// disk reads the counters of the loop device: telemetry leaves these devices out, as node_exporter does.
func (s sources) disk(t *testing.T) []recorder.Sample {
	t.Helper()
	fs, err := blockdevice.NewDefaultFS()
	require.NoError(t, err)
	stats, err := fs.ProcDiskstats()
	require.NoError(t, err)
	i := slices.IndexFunc(stats, func(d blockdevice.Diskstats) bool { return d.DeviceName == s.device })
	require.GreaterOrEqual(t, i, 0)
	d, of := stats[i], []messages.Label{{Name: "device", Value: s.device}}
	return []recorder.Sample{
		{Name: "node_disk_read_bytes_total", Value: float64(d.ReadSectors) * 512, Labels: of}, {Name: "node_disk_written_bytes_total", Value: float64(d.WriteSectors) * 512, Labels: of},
		{Name: "node_disk_reads_completed_total", Value: float64(d.ReadIOs), Labels: of}, {Name: "node_disk_writes_completed_total", Value: float64(d.WriteIOs), Labels: of},
		{Name: "node_disk_io_now", Value: float64(d.IOsInProgress), Labels: of},
	}
}

// refaults reads a counter of version 1 that telemetry leaves out, since older kernels count bytes there; this one counts pages.
func (s sources) refaults(t *testing.T) recorder.Sample {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.memory, "memory.stat"))
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(text), "\nworkingset_refault_file ")
	require.True(t, found)
	number, _, _ := strings.Cut(rest, "\n")
	pages, err := strconv.ParseFloat(number, 64)
	require.NoError(t, err)
	return recorder.Sample{Name: "fodc_cgroup_memory_workingset_refault_file_total", Value: pages, Labels: []messages.Label{{Name: "process", Value: "node"}}}
}

// write adds samples to a file, in the text format with timestamps.
func write(to *bytes.Buffer, at time.Time, all []recorder.Sample) {
	for _, s := range all {
		var labels []string
		for _, l := range s.Labels {
			labels = append(labels, fmt.Sprintf("%s=%q", l.Name, l.Value))
		}
		fmt.Fprintf(to, "%s%s{%s} %s %d\n", s.Name, s.Suffix, strings.Join(labels, ","), strconv.FormatFloat(s.Value, 'f', -1, 64), at.UnixMilli())
	}
}

// keep writes the file of a piece.
func keep(t *testing.T, name string, text []byte) {
	t.Helper()
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	require.NoError(t, err)
	_, err = z.Write(text)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	require.NoError(t, os.MkdirAll(recordings, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(recordings, name+".prom.gz"), packed.Bytes(), 0o644))
	t.Logf("%s: %d bytes", name, packed.Len())
}
