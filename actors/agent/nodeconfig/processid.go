package nodeconfig

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"fodc/actors/agent/telemetry"

	"github.com/prometheus/procfs"
)

// Process finds the node's process, as a Collector does.
type Process struct {
	proc string
	// lock is held while it is looked for, which may hang in the kernel.
	lock sync.Mutex
	node *node
}

// NewProcess returns a finder. Of the configuration, Root, PIDFile, Process and Endpoints count.
func NewProcess(c Config) *Process {
	if c.Root == "" {
		c.Root = "/"
	}
	proc := filepath.Join(c.Root, "proc")
	return &Process{proc: proc, node: newNode(proc, c)}
}

var errHangs = errors.New("the node's process cannot be looked for: the kernel does not answer")

// Find returns the id of the process, and how it was found. It may hang in the kernel; while it does, another
// call returns an error at once.
func (p *Process) Find(now time.Time) (pid int, by string, err error) {
	if !p.lock.TryLock() {
		return 0, "", errHangs
	}
	defer p.lock.Unlock()
	defer func() {
		if r := recover(); r != nil { // The procfs library panics on some malformed files.
			pid, by, err = 0, "", fmt.Errorf("the node's process cannot be looked for: unexpected %T", r)
		}
	}()
	fs, err := procfs.NewFS(p.proc)
	if err != nil {
		if unsupported := telemetry.Supported(); unsupported != nil {
			err = unsupported
		}
		return 0, "", err
	}
	found, by, err := p.node.find(fs, now)
	return found.PID, by, err
}
