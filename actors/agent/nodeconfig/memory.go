package nodeconfig

import (
	"fmt"
	"path/filepath"
	"time"

	"fodc/actors/agent/telemetry"

	"github.com/prometheus/procfs"
)

// processPause is the time between two searches for a process that was not found. A search reads the
// kernel's table of sockets, or the names of all processes.
const processPause = 30 * time.Second

// Memory reads the memory of the node's process, which it finds as a Collector does. It must not be
// used by several goroutines at once.
type Memory struct {
	proc, sys string
	node      *node

	err    error // of the last search
	failed time.Time
}

// NewMemory returns a reader. Of the configuration, Root, PIDFile, Process and Endpoints count.
func NewMemory(c Config) *Memory {
	if c.Root == "" {
		c.Root = "/"
	}
	proc := filepath.Join(c.Root, "proc")
	return &Memory{proc: proc, sys: filepath.Join(c.Root, "sys"), node: newNode(proc, c)}
}

// Read returns the resident memory of the process, and the limit that it is under: see
// telemetry.ProcessMemory. If the process cannot be found or read, the limit is that of the host, if
// that is known, and 0 otherwise. It may hang in the kernel.
func (m *Memory) Read(now time.Time) (resident, limit uint64, err error) {
	defer func() {
		if p := recover(); p != nil { // The procfs library panics on some malformed files.
			resident, limit, err = 0, 0, fmt.Errorf("the node's process cannot be read: unexpected %T", p)
		}
	}()
	fs, err := procfs.NewFS(m.proc)
	if err != nil {
		if unsupported := telemetry.Supported(); unsupported != nil {
			err = unsupported
		}
		return 0, 0, err
	}
	p, err := m.find(fs, now)
	if err == nil {
		resident, limit, err = telemetry.ProcessMemory(fs, m.sys, p)
	}
	if err != nil {
		host, _ := telemetry.HostMemory(fs)
		return 0, host, err
	}
	return resident, limit, nil
}

func (m *Memory) find(fs procfs.FS, now time.Time) (procfs.Proc, error) {
	if m.err != nil && now.Sub(m.failed) < processPause {
		return procfs.Proc{}, m.err
	}
	p, _, err := m.node.find(fs, now)
	m.err, m.failed = err, now
	return p, err
}
