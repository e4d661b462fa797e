package nodeconfig

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// memoryHost is a host with the memory, and processes with some resident pages.
func memoryHost(t *testing.T) *host {
	h := newHost(t)
	h.write("proc/meminfo", "MemTotal: 1000 kB\n")
	return h
}

func (h *host) resident(pid int, name string, pages int) {
	h.t.Helper()
	h.process(pid, name, 10, name, "")
	h.write(fmt.Sprintf("proc/%d/stat", pid), fmt.Sprintf("%d (%s) S 1%s 10 900000 %d%s\n", pid, name, strings.Repeat(" 0", 17), pages, strings.Repeat(" 0", 28)))
	h.write(fmt.Sprintf("proc/%d/cgroup", pid), "0::/db\n")
}

func TestMemory(t *testing.T) {
	page := uint64(os.Getpagesize())
	f := func(c Config, wantResident, wantLimit uint64, want string, prepare func(h *host)) {
		t.Helper()
		h := memoryHost(t)
		prepare(h)
		c.Root = h.root
		if c.PIDFile != "" {
			c.PIDFile = h.write("node.pid", c.PIDFile)
		}
		resident, limit, err := NewMemory(c).Read(testNow)
		if want != "" {
			require.ErrorContains(t, err, want)
		} else {
			require.NoError(t, err)
		}
		require.Equal(t, []uint64{wantResident, wantLimit}, []uint64{resident, limit})
	}
	limited := func(h *host) {
		h.resident(7, "node", 100)
		h.write("sys/fs/cgroup/cgroup.controllers", "memory\n")
		h.write("sys/fs/cgroup/db/memory.max", "500000\n")
	}
	const machine = 1000 << 10
	endpoint := Config{Endpoints: []string{"http://127.0.0.1:6060/debug/pprof/heap"}}
	f(Config{Process: "node"}, 100*page, 500_000, "", limited)
	f(Config{PIDFile: "7"}, 100*page, 500_000, "", limited)
	f(Config{Process: "node"}, 100*page, machine, "", func(h *host) { h.resident(7, "node", 100) })
	f(Config{Process: "other"}, 0, machine, "no process is called other", limited)
	f(Config{PIDFile: "8"}, 0, machine, "there is no process 8", limited)
	f(endpoint, 0, machine, "nobody listens", limited)
	f(endpoint, 100*page, 500_000, "", func(h *host) {
		limited(h)
		h.listening("tcp", "0100007F:17AC 0A 77")
		h.process(9, "child", 20, "child", "", 77)
		require.NoError(t, os.Symlink("socket:[77]", h.root+"/proc/7/fd/3"))
	})
	f(Config{Process: "node"}, 0, 0, "no process is called node", func(h *host) { require.NoError(t, os.Remove(h.root+"/proc/meminfo")) })
	f(Config{}, 0, machine, "no endpoint is on this host", limited)
}

// A process that was not found is not searched for at each read. One that was is noticed to have ended at once.
func TestMemoryIsSearchedSeldom(t *testing.T) {
	h := memoryHost(t)
	m := NewMemory(Config{Root: h.root, Process: "node"})
	now := testNow
	read := func(after time.Duration) error {
		now = now.Add(after)
		_, _, err := m.Read(now)
		return err
	}
	require.Error(t, read(0))
	h.resident(7, "node", 100)
	require.Error(t, read(processPause-time.Second))
	require.NoError(t, read(time.Second))
	h.dies(7)
	require.Error(t, read(5*time.Second))
	h.resident(8, "node", 100)
	require.Error(t, read(5*time.Second))
	require.NoError(t, read(processPause))
}

func TestMemoryOfNoHost(t *testing.T) {
	_, _, err := NewMemory(Config{Root: t.TempDir(), Process: "node"}).Read(testNow)
	require.Error(t, err)
}
