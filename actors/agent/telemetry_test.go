package agent

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/agent/telemetry"
	"fodc/messages"
	"fodc/recorder"

	"github.com/stretchr/testify/require"
)

// hangingDisks is file systems that may hang.
type hangingDisks struct {
	mu      sync.Mutex
	hung    map[string]chan struct{}
	reading map[string]int
}

func newHangingDisks() *hangingDisks {
	return &hangingDisks{hung: map[string]chan struct{}{}, reading: map[string]int{}}
}

// hang lets the next reads of the directory hang until release is called.
func (d *hangingDisks) hang(dir string) (release func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	wait := make(chan struct{})
	d.hung[dir] = wait
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.hung, dir)
		close(wait)
	}
}

// underWay returns how many reads of the directory have not returned.
func (d *hangingDisks) underWay(dir string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.reading[dir]
}

func (d *hangingDisks) stat(dir string) (telemetry.Space, error) {
	d.mu.Lock()
	wait := d.hung[dir]
	d.reading[dir]++
	d.mu.Unlock()
	if wait != nil {
		<-wait
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reading[dir]--
	device := uint64(1)
	if dir == "/mnt/old data" {
		device = 2
	}
	return telemetry.Space{Path: dir, Device: device, Size: 1000}, nil
}

// inHost is inWorld with the telemetry of a host that is made up.
func inHost(t *testing.T, test func(t *testing.T, w *world, disks *hangingDisks)) {
	inWorld(t, func(t *testing.T, w *world) {
		disks := newHangingDisks()
		w.cfg.Telemetry = &telemetry.Config{Root: "telemetry/testdata/v2", DataDirs: []string{"/data", "/mnt/old data"},
			NodeProcess: "banyandb-server-static", Stat: disks.stat}
		test(t, w, disks)
	})
}

// host returns the latest samples of the host by name and labels.
func (w *world) host() map[string]float64 {
	w.t.Helper()
	blocks, err := w.agent.Latest(w.t.Context(), messages.Selection{})
	require.NoError(w.t, err)
	all := map[string]float64{}
	for _, b := range blocks {
		for _, f := range b.Families {
			if !strings.HasPrefix(f.Name, "node_") && !strings.HasPrefix(f.Name, "fodc_cgroup_") && !strings.HasPrefix(f.Name, "fodc_node_process_") {
				continue
			}
			for i, s := range f.Series {
				all[f.Name+"{"+string(s.Labels)+"}"] = last(f.ValuesOf(i))
			}
		}
	}
	return all
}

const (
	dataSize  = `node_filesystem_size_bytes{device="/dev/mapper/vg-data",fstype="xfs",mountpoint="/data"}`
	nfsSize   = `node_filesystem_size_bytes{device="files:/old data",fstype="nfs4",mountpoint="/mnt/old data"}`
	nfsError  = `node_filesystem_device_error{device="files:/old data",fstype="nfs4",mountpoint="/mnt/old data"}`
	hostTime  = `node_time_seconds{}`
	hostLoad1 = `node_load1{}`
)

func TestHostIsRecorded(t *testing.T) {
	inHost(t, func(t *testing.T, w *world, _ *hangingDisks) {
		w.run()
		got := w.host()
		require.Greater(t, len(got), 150)
		require.Equal(t, 0.52, got[hostLoad1])
		require.Equal(t, 1000.0, got[dataSize])
		require.Equal(t, 0.0, got[nfsError])
		require.Equal(t, 65536.0, got["fodc_node_process_max_fds{}"])
		require.Equal(t, 4e9, got[`fodc_cgroup_memory_current_bytes{process="node"}`])
		require.Equal(t, float64(w.start.Unix()), got[hostTime])
		w.pass(20 * time.Second)
		require.InDelta(t, float64(w.start.Unix())+15, w.host()[hostTime], 5, "once an interval")
		require.Empty(t, w.lines("host telemetry"))
	})
}

func TestHostTelemetryIsOff(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.run()
		require.Empty(t, w.host())
		require.Zero(t, w.alive("telemetry"))
	})
}

// Where there is no /proc of Linux, nothing is tried again and again: the log says so once,
// and the health as long as the agent runs.
func TestHostOfAnotherSystem(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.cfg.Telemetry = &telemetry.Config{System: "darwin", DataDirs: []string{"/data"}, NodeProcess: "banyandb"}
		w.run()
		w.pass(time.Minute)
		const why = "the host and its processes are read from the /proc of Linux, and this system is darwin: unsupported operation"
		require.Equal(t, []string{"host telemetry is left out: " + why}, w.lines("host telemetry"))
		h, err := w.agent.Health(t.Context())
		require.NoError(t, err)
		require.Equal(t, &messages.TelemetryHealth{Missing: []messages.MissingPart{{Part: "host", Error: why}}}, h.Telemetry)
		require.Zero(t, w.alive("telemetry"))
		require.Empty(t, w.host())
		require.Contains(t, w.latest(), "g", "the node is scraped")
	})
}

// A dead mount loses its own samples, and only the first round waits for it.
func TestHungFileSystem(t *testing.T) {
	inHost(t, func(t *testing.T, w *world, disks *hangingDisks) {
		release := disks.hang("/mnt/old data")
		w.run()
		require.Empty(t, w.host(), "the first round waits")
		w.pass(maxTelemetryWait)
		for range 10 {
			got := w.host()
			require.Equal(t, 0.52, got[hostLoad1])
			require.Equal(t, 1000.0, got[dataSize])
			require.NotContains(t, got, nfsSize)
			require.Equal(t, 1.0, got[nfsError])
			require.Equal(t, 1, disks.underWay("/mnt/old data"))
			require.Zero(t, disks.underWay("/data"))
			w.pass(10 * time.Second)
		}
		last := w.host()[hostTime]
		w.pass(time.Until(time.Unix(int64(last), 0).Add(11 * time.Second)))
		require.InDelta(t, last+10, w.host()[hostTime], 0.1, "the rounds after the first do not wait")
		require.Equal(t, []string{"host telemetry is left out: data directory /mnt/old data: it does not answer within 5s"}, w.lines("host telemetry"))
		release()
		w.pass(10 * time.Second)
		require.Equal(t, 1000.0, w.host()[nfsSize])
		require.Equal(t, 0.0, w.host()[nfsError])
		require.Len(t, w.lines("host telemetry"), 2)
		require.Len(t, w.lines("host telemetry is there again: data directory /mnt/old data"), 1)
	})
}

// The agent does not wait for what hangs when it stops.
func TestStopWhileFileSystemHangs(t *testing.T) {
	inHost(t, func(t *testing.T, w *world, disks *hangingDisks) {
		release := disks.hang("/data")
		w.run()
		w.stop()
		require.Equal(t, 1, disks.underWay("/data"))
		release()
		synctest.Wait()
		require.Zero(t, disks.underWay("/data"))
	})
}

// A restart does not start a second read of what hangs.
func TestRestartWhileFileSystemHangs(t *testing.T) {
	inHost(t, func(t *testing.T, w *world, disks *hangingDisks) {
		release := disks.hang("/mnt/old data")
		defer release()
		sources := telemetry.Sources(*w.cfg.Telemetry)
		window := spawnRecorder(w.sys, recorder.Limits{})
		pid := w.sys.Spawn("telemetry", restarts, func() actors.Actor {
			return fragile{newHostTelemetry(w.sys, window, sources, 10*time.Second)}
		})
		for range 3 {
			w.pass(20 * time.Second)
			require.Equal(t, 1, disks.underWay("/mnt/old data"))
			w.sys.Send(pid, forcePanic{})
		}
		w.pass(20 * time.Second)
		require.Equal(t, 1, disks.underWay("/mnt/old data"))
	})
}
