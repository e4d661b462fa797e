package telemetry

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/prometheus/procfs"
	"github.com/stretchr/testify/require"
)

func TestProcessMemory(t *testing.T) {
	const host = 8_000_000 << 10
	f := func(fixture string, pid int, wantLimit uint64, prepare func(root string)) {
		t.Helper()
		root := copyHost(t, fixture)
		prepare(root)
		fs, err := procfs.NewFS(filepath.Join(root, "proc"))
		require.NoError(t, err)
		p, err := fs.Proc(pid)
		require.NoError(t, err)
		stat, err := p.Stat()
		require.NoError(t, err)
		resident, limit, err := ProcessMemory(fs, filepath.Join(root, "sys"), p)
		require.NoError(t, err)
		require.EqualValues(t, stat.ResidentMemory(), resident)
		require.Positive(t, resident)
		require.Equal(t, wantLimit, limit)
	}
	f("v2", 200, host, func(string) {}) // memory.max of the group is max, and it is not root that has one
	f("v2", 200, 300, func(root string) { write(t, root, "sys/fs/cgroup/system.slice/banyandb.service/memory.max", "300\n") })
	f("v2", 200, 200, func(root string) {
		write(t, root, "sys/fs/cgroup/system.slice/banyandb.service/memory.max", "300\n")
		write(t, root, "sys/fs/cgroup/system.slice/memory.max", "200\n")
		write(t, root, "sys/fs/cgroup/memory.max", "400\n")
		write(t, root, "sys/fs/memory.max", "1\n") // above the mount
	})
	f("v2", 200, host, func(root string) { write(t, root, "sys/fs/cgroup/system.slice/memory.max", "9000000000000\n") })
	f("v2", 200, host, func(root string) { write(t, root, "sys/fs/cgroup/system.slice/memory.max", "0\n") })
	f("v2", 200, host, func(root string) { write(t, root, "proc/200/cgroup", "0::/../other\n") })
	f("v2", 200, 0, func(root string) { require.NoError(t, os.Remove(filepath.Join(root, "proc/meminfo"))) })
	f("v2", 200, 0, func(root string) { write(t, root, "proc/meminfo", "MemFree: 5 kB\n") })
	f("v1", 7, 104857600, func(string) {}) // in a container
}

func TestProcessMemoryOfNoProcess(t *testing.T) {
	root := copyHost(t, "v2")
	fs, err := procfs.NewFS(filepath.Join(root, "proc"))
	require.NoError(t, err)
	p, err := fs.Proc(200)
	require.NoError(t, err)
	require.NoError(t, os.RemoveAll(filepath.Join(root, "proc/200")))
	_, _, err = ProcessMemory(fs, filepath.Join(root, "sys"), p)
	require.Error(t, err)
}
