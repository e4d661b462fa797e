//go:build e2e && linux && (amd64 || arm64)

package kernel

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// controlGroup is a control group of a test, of version 1 or 2.
type controlGroup struct {
	dir string
	v2  bool
}

// newControlGroup makes a control group below the first one, in which a controller works. It is removed after what is in it has ended.
func newControlGroup(t *testing.T, controller string) controlGroup {
	t.Helper()
	needs(t, os.Geteuid() == 0, "root")
	g := controlGroup{v2: true}
	root := "/sys/fs/cgroup"
	if _, err := os.Stat(filepath.Join(root, controller, "cgroup.procs")); err == nil {
		root, g.v2 = filepath.Join(root, controller), false
	} else {
		text, _ := os.ReadFile(filepath.Join(root, "cgroup.subtree_control"))
		needs(t, strings.Contains(" "+strings.TrimSpace(string(text))+" ", " "+controller+" "), "the control group's controller "+controller)
	}
	dir, err := os.MkdirTemp(root, "fodc-test-")
	require.NoError(t, err)
	g.dir = dir
	t.Cleanup(func() {
		require.Eventually(t, func() bool { return os.Remove(dir) == nil }, patience, 10*time.Millisecond, dir)
	})
	return g
}

// set writes a setting, which the versions call by different names. Without a name there is none in that version.
func (g controlGroup) set(t *testing.T, v1, v2, value string) {
	t.Helper()
	name := v1
	if g.v2 {
		name = v2
	}
	if name != "" {
		require.NoError(t, os.WriteFile(filepath.Join(g.dir, name), []byte(value), 0))
	}
}

// memoryGroup makes a control group with a limit of memory, in bytes.
func memoryGroup(t *testing.T, limit int) controlGroup {
	t.Helper()
	g := newControlGroup(t, "memory")
	g.set(t, "memory.limit_in_bytes", "memory.max", strconv.Itoa(limit))
	g.set(t, "", "memory.swap.max", "0")
	return g
}

func (g controlGroup) take(t *testing.T, n *testNode) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(g.dir, "cgroup.procs"), []byte(strconv.Itoa(n.pid())), 0))
}

// number reads a number: of a file that has only that, or of its line with a key.
func (g controlGroup) number(t *testing.T, v1, v2, key string) int {
	t.Helper()
	name := v1
	if g.v2 {
		name = v2
	}
	for line := range strings.Lines(readFile(t, filepath.Join(g.dir, name))) {
		f := strings.Fields(line)
		if len(f) == 1 || f[0] == key {
			return numberOf(f[len(f)-1])
		}
	}
	require.Fail(t, "no such line", "%s of %s", key, name)
	return 0
}
