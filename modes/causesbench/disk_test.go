//go:build bench && linux

package causesbench

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What the disk serves.
const (
	diskSize      = 2 << 30
	requestsASec  = 2500
	bytesASec     = 150e6
	usualLatency  = 2 * time.Millisecond
	slowLatency   = 40 * time.Millisecond
	diskBlockSize = 4096
)

// disk is a disk in memory: it serves one request after the other, and answers each after its latency.
type disk struct {
	data []byte

	mu      sync.Mutex
	latency time.Duration // 0: it answers at once
	free    time.Time     // when all requests so far are served
}

func newDisk() *disk { return &disk{data: make([]byte, diskSize)} }

// done returns when a request of so many bytes is answered.
func (d *disk) done(bytes int) time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	if d.latency == 0 {
		return now
	}
	if d.free.Before(now) {
		d.free = now
	}
	serve := max(time.Second/requestsASec, time.Duration(float64(bytes)/bytesASec*float64(time.Second)))
	d.free = d.free.Add(serve)
	return d.free.Add(d.latency)
}

func (d *disk) setLatency(latency time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.latency = latency
}

// asHardware gives the goroutine a thread that runs before all others: a disk does not wait for a processor.
func asHardware() {
	runtime.GOMAXPROCS(16) // None is waited for that a thread has which does not run.
	runtime.LockOSThread()
	_ = unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 1}, 0)
}

// hastenWorkers gives the kernel's threads that pass on the requests of a loop device, and their answers, the highest priority until the end of the test.
func hastenWorkers(t *testing.T) {
	t.Helper()
	all := func(nice int) {
		names, _ := filepath.Glob("/proc/[0-9]*/comm")
		for _, name := range names {
			if comm, err := os.ReadFile(name); err == nil && (strings.HasPrefix(string(comm), "kworker/u") || strings.HasPrefix(string(comm), "ksoftirqd/")) {
				pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
				_ = unix.Setpriority(unix.PRIO_PROCESS, pid, nice)
			}
		}
	}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			all(-20)
			select {
			case <-end:
				all(0)
				return
			case <-time.After(time.Second): // Some more may have begun.
			}
		}
	}()
	t.Cleanup(func() { close(end); <-ended })
}
