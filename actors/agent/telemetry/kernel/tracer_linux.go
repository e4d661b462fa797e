//go:build amd64 || arm64

package kernel

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"fodc/actors/agent/telemetry"

	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"
)

// Tracer has the programs in the kernel. Its methods may be called by several goroutines.
type Tracer struct {
	cfg Config
	// ready is closed when status, loaded and events are there.
	ready  chan struct{}
	status Status
	loaded *loaded // nil: nothing runs
	events *ringbuf.Reader
	told   chan Event    // by the one goroutine that reads events
	ended  chan struct{} // closed by Close

	mu     sync.Mutex
	closed bool
	node   int    // a pidfd of the node's process; 0: there is none
	mark   uint32 // of the node's threads; 0: there was none yet
	of     devices
	found  chan devices // what a search for devices has found; nil: none is under way
	sought time.Time    // when the last search began
}

// Start begins to load the programs, and returns at once. That takes some 50 ms, on a slow machine seconds. If none runs, Status says
// why, and the tracer tells of nothing.
func Start(cfg Config) *Tracer {
	t := &Tracer{cfg: cfg, ready: make(chan struct{}), told: make(chan Event), ended: make(chan struct{})}
	t.seekDevices(time.Now())
	go t.start()
	return t
}

func (t *Tracer) start() {
	defer close(t.ready)
	t.loaded, t.status = load()
	if t.loaded == nil {
		return
	}
	events, err := ringbuf.NewReader(t.loaded.maps["events"])
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil || t.closed {
		t.loaded.close()
		t.loaded, t.status = nil, Status{Err: errStopped}
		if err != nil {
			t.status.Err = fmt.Errorf("read events: %w", err)
		}
		return
	}
	t.events = events
	go t.readEvents()
	if self, err := unix.PidfdOpen(os.Getpid(), 0); err == nil {
		_ = t.loaded.maps["threads"].Put(int32(self), programsThread{Mark: agentMark})
		_ = unix.Close(self)
	}
}

// Status says what runs. While the programs are being loaded, its error says so; after that it does not change.
func (t *Tracer) Status() Status {
	select {
	case <-t.ready:
		return t.status
	default:
		return Status{Err: errLoading}
	}
}

// Wait waits until the programs are loaded, and says what runs.
func (t *Tracer) Wait(ctx context.Context) Status {
	select {
	case <-t.ready:
	case <-ctx.Done():
	}
	return t.Status()
}

// Follow makes the process the node's, instead of the one before. Its threads are measured, and those that it begins; not its
// children. It waits until the programs are loaded. If none runs, its error is ErrNothingRuns.
func (t *Tracer) Follow(pid int) error {
	<-t.ready
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.usable(); err != nil {
		return err
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return fmt.Errorf("process %d: %w", pid, err)
	}
	if t.mark == 0 || t.loaded.markOf(fd) != t.mark {
		if err := t.markNext(fd); err != nil {
			_ = unix.Close(fd)
			return fmt.Errorf("mark process %d: %w", pid, err)
		}
	}
	t.unfollow(fd)
	return nil
}

// markNext gives a process the next mark, which is that of the node from then on.
func (t *Tracer) markNext(pidfd int) error {
	if err := t.loaded.markProcess(pidfd, t.mark+1); err != nil {
		return err
	}
	t.mark++
	return t.loaded.variables["node_mark"].Set(t.mark)
}

// unfollow ends the mark of the process that was the node's, unless that is the same one, and takes another one.
func (t *Tracer) unfollow(next int) {
	if t.node != 0 {
		_ = unix.Close(t.node)
	}
	t.node = next
}

func (t *Tracer) usable() error {
	switch {
	case t.closed:
		return fmt.Errorf("%w: %w", ErrNothingRuns, errStopped)
	case t.loaded == nil:
		return fmt.Errorf("%w: %w", ErrNothingRuns, t.status.Err)
	}
	return nil
}

// Source returns what the programs have counted, as a source of the host's telemetry.
func (t *Tracer) Source() *telemetry.Source {
	return telemetry.NewSource("kernel telemetry", t.read)
}

func (t *Tracer) read(now time.Time) telemetry.Result {
	status := t.Status()
	t.mu.Lock()
	defer t.mu.Unlock()
	if status.Err != nil || t.closed {
		return telemetry.Result{Samples: (&counts{}).samples(status, devices{})}
	}
	if t.node != 0 {
		t.loaded.markAgain(t.node, t.mark)
	}
	deviceErr := t.findDevices(now)
	c, err := t.loaded.read()
	return telemetry.Result{Samples: c.samples(status, t.of), Outcomes: []telemetry.Outcome{
		{Part: "kernel telemetry", Err: err}, {Part: "disks of kernel telemetry", Err: deviceErr}}}
}

// searchPause is how often the devices of the data directories are looked for. A directory may be mounted later.
const searchPause = 30 * time.Second

// findDevices takes the devices that a search has found, and begins another one when it is time. A search may hang.
func (t *Tracer) findDevices(now time.Time) (err error) {
	select {
	case found := <-t.found:
		t.found = nil
		if t.of.add(found) {
			err = t.loaded.setDevices(t.of)
		}
	default:
	}
	if t.found == nil && now.Sub(t.sought).Abs() >= searchPause {
		t.seekDevices(now)
	}
	return err
}

// seekDevices begins a search.
func (t *Tracer) seekDevices(now time.Time) {
	if len(t.cfg.DataDirs) == 0 {
		return
	}
	found := make(chan devices, 1)
	t.found, t.sought = found, now
	go func() {
		d, _ := findDevices(t.cfg.proc(), t.cfg.sys(), t.cfg.DataDirs)
		found <- d
	}()
}

// Close detaches and frees all programs.
func (t *Tracer) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	t.closed = true
	close(t.ended)
	if t.events == nil {
		return // Nothing is loaded, or the programs are being loaded, and are freed when they are.
	}
	_ = t.events.Close()
	t.unfollow(0)
	t.loaded.close()
}
