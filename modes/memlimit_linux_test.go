package modes

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const meminfo = "MemTotal:       16384 kB\nMemFree:        1 kB\n"

func TestMemoryLimit(t *testing.T) {
	f := func(files map[string]string, want int64, source string) {
		t.Helper()
		read := func(name string) (string, bool) { text, ok := files[name]; return text, ok }
		got, from, err := memoryLimitOf(read)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.Equal(t, source, from)
	}
	const mib = 1 << 20
	f(map[string]string{"/proc/meminfo": meminfo}, 16*mib, "/proc/meminfo")
	// Version 2: in a container, the group is the root of the mount.
	f(map[string]string{"/proc/meminfo": meminfo, "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "1048576\n"},
		mib, "/sys/fs/cgroup/memory.max")
	f(map[string]string{"/proc/meminfo": meminfo, "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "max\n"},
		16*mib, "/proc/meminfo")
	// The lowest of the group's and those above it.
	groups := map[string]string{"/proc/meminfo": meminfo, "/proc/self/cgroup": "0::/a.slice/b.service\n",
		"/sys/fs/cgroup/a.slice/b.service/memory.max": "4194304", "/sys/fs/cgroup/a.slice/memory.max": "2097152"}
	f(groups, 2*mib, "/sys/fs/cgroup/a.slice/memory.max")
	groups["/sys/fs/cgroup/a.slice/memory.max"] = "max"
	f(groups, 4*mib, "/sys/fs/cgroup/a.slice/b.service/memory.max")
	groups["/sys/fs/cgroup/a.slice/b.service/memory.max"] = "rubbish"
	f(groups, 16*mib, "/proc/meminfo")
	// Version 1, with a path that only the host has.
	v1 := map[string]string{"/proc/meminfo": meminfo, "/proc/self/cgroup": "9:cpu,cpuacct:/docker/x\n4:memory:/docker/x\n",
		"/sys/fs/cgroup/memory/memory.limit_in_bytes": "3145728\n"}
	f(v1, 3*mib, "/sys/fs/cgroup/memory/memory.limit_in_bytes")
	v1["/sys/fs/cgroup/memory/memory.limit_in_bytes"] = "9223372036854771712\n" // none
	f(v1, 16*mib, "/proc/meminfo")
	v1["/sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes"] = "5242880\n"
	f(v1, 5*mib, "/sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes")
	// A cgroup alone is enough; strange lines are passed over.
	f(map[string]string{"/proc/self/cgroup": "\n:\nx:y\n0::../..\n", "/sys/fs/cgroup/memory.max": "1048576"}, mib, "/sys/fs/cgroup/memory.max")
}

func TestMemoryLimitUnknown(t *testing.T) {
	f := func(files map[string]string, want string) {
		t.Helper()
		_, _, err := memoryLimitOf(func(name string) (string, bool) { text, ok := files[name]; return text, ok })
		require.EqualError(t, err, want)
	}
	f(nil, "/proc/meminfo cannot be read")
	f(map[string]string{"/proc/meminfo": "MemFree: 1 kB\n"}, "/proc/meminfo has no MemTotal")
	f(map[string]string{"/proc/meminfo": "MemTotal: -5 kB\n"}, `/proc/meminfo says MemTotal "-5"`)
}

func TestMemoryLimitOfFiles(t *testing.T) {
	root := t.TempDir()
	_, _, err := memoryLimitUnder(root)
	require.Error(t, err)
	require.NoError(t, os.Mkdir(filepath.Join(root, "proc"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "proc/meminfo"), []byte(meminfo), 0o644))
	bytes, source, err := memoryLimitUnder(root)
	require.NoError(t, err)
	require.EqualValues(t, 16<<20, bytes)
	require.Equal(t, "/proc/meminfo", source)
}
