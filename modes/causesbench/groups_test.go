//go:build bench && linux

package causesbench

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

const (
	cgroups   = "/sys/fs/cgroup"
	groupName = "fodc-causes"
	// The node's limits: of its memory, and of the time that it has a processor in each period of 100 ms.
	memoryLimit = 320 << 20
	quotaMicros = 70_000
	// manyShares is for all processes of a piece, so that what else runs on the machine takes little from them.
	manyShares = 200 << 10
)

// group is a control group of version 1.
type group struct {
	path     string
	settings map[string]int
}

// Groups of a piece. What else uses a processor counts as many processes, not as one group.
var (
	nodeMemory = group{"memory/" + groupName, map[string]int{"memory.limit_in_bytes": memoryLimit}}
	allCPU     = group{"cpu/" + groupName, map[string]int{"cpu.shares": manyShares}}
	nodeCPU    = group{"cpu/" + groupName + "/node", map[string]int{"cpu.cfs_quota_us": quotaMicros}}
	othersCPU  = group{"cpu/" + groupName + "/others", map[string]int{"cpu.shares": burners << 10}}
)

func (g group) dir() string { return filepath.Join(cgroups, g.path) }

// makeGroups makes the groups. They are gone after the processes that are started later.
func makeGroups(t *testing.T) {
	t.Helper()
	for _, g := range []group{nodeMemory, allCPU, nodeCPU, othersCPU} {
		require.NoError(t, os.MkdirAll(g.dir(), 0o755), "this needs control groups of version 1")
		t.Cleanup(func() {
			for end := time.Now().Add(5 * time.Second); unix.Rmdir(g.dir()) != nil && time.Now().Before(end); {
				<-time.After(50 * time.Millisecond) // Its last process may still be ending.
			}
		})
		for file, value := range g.settings {
			require.NoError(t, os.WriteFile(filepath.Join(g.dir(), file), []byte(strconv.Itoa(value)), 0))
		}
	}
}

// add puts a process into a group.
func (g group) add(t *testing.T, pid int) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(g.dir(), "cgroup.procs"), []byte(strconv.Itoa(pid)), 0))
}
