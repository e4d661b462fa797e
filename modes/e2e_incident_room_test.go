//go:build e2e && linux

package modes_test

import (
	"sync"
	"testing"
)

// clusterSlots bounds the clusters at a time: each is seven processes that record each second, and on a machine with two processors more of
// them would be late for what their tests wait for.
const clusterSlots = 4

var clusterRoom = make(chan struct{}, clusterSlots)

// takeClusterSlots waits for room for clusters until the end of the test.
func takeClusterSlots(t *testing.T, n int) {
	t.Helper()
	takingSlots.Lock() // One after the other, so that two that want several do not wait for each other.
	defer takingSlots.Unlock()
	for range n {
		clusterRoom <- struct{}{}
	}
	t.Cleanup(func() {
		for range n {
			<-clusterRoom
		}
	})
}

var takingSlots sync.Mutex

// hostsKernel is what the clusters share beside processors: the kernel counts the processes that it ends for lack of memory for the whole
// host. A node that was killed meanwhile in another test would be said to be one of those. So such tests run beside each other alone.
var hostsKernel kernelLock

type kernelLock struct {
	others sync.RWMutex // held for writing while the kernel may end processes
	mu     sync.Mutex
	ending int // tests in which it may
}

// share waits until the kernel ends no process, to the end of the test.
func (l *kernelLock) share(t *testing.T) {
	l.others.RLock()
	t.Cleanup(l.others.RUnlock)
}

// ends waits until all other clusters are gone, but for those in which the kernel may end a process, too.
func (l *kernelLock) ends(t *testing.T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ending == 0 {
		l.others.Lock()
	}
	l.ending++
	t.Cleanup(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.ending--; l.ending == 0 {
			l.others.Unlock()
		}
	})
}
