package telemetry

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const nodeMemory = `fodc_cgroup_memory_current_bytes{process="node"}`

// cgroups reads a host whose process 200 is in the group.
func cgroups(t *testing.T, root, group string) (map[string]float64, map[string]error) {
	t.Helper()
	write(t, root, "proc/200/cgroup", group)
	all, problems := readAll(Sources(modern(root)))
	checkSamples(t, all)
	return values(all), problems
}

func TestCgroupOutOfSight(t *testing.T) {
	got, problems := cgroups(t, copyHost(t, "v2"), "0::/../banyandb.service\n")
	require.NotContains(t, got, nodeMemory)
	require.EqualError(t, problems["memory of the node's control group"],
		"control group /../banyandb.service of process 200 is outside of what the agent can see")
	require.Contains(t, got, `fodc_cgroup_memory_current_bytes{process="agent"}`)
}

func TestCgroupNotMounted(t *testing.T) {
	got, problems := cgroups(t, copyHost(t, "v2"), "0::/else.where\n")
	require.NotContains(t, got, nodeMemory, "the group at the top is not that of the process")
	require.ErrorIs(t, problems["memory of the node's control group"], os.ErrNotExist)
	require.ErrorIs(t, problems["cpu of the node's control group"], os.ErrNotExist)

	_, problems = cgroups(t, copyHost(t, "v2"), "")
	require.EqualError(t, problems["cpu of the node's control group"], "process 200 has no control group for cpu")
}

// In a container, the root of the mount is the group of all that is in the container.
func TestCgroupOfTheContainer(t *testing.T) {
	root := copyHost(t, "v2")
	write(t, root, "sys/fs/cgroup/memory.current", "77\n")
	write(t, root, "proc/100/cgroup", "0::/kubepods/pod1/agent\n")
	got, _ := cgroups(t, root, "0::/kubepods/pod1/agent\n")
	require.Equal(t, 77.0, got[nodeMemory])
	got, problems := cgroups(t, root, "0::/kubepods/pod1/node\n")
	require.NotContains(t, got, nodeMemory)
	require.Error(t, problems["memory of the node's control group"])
}

// The group at the top has no memory figures, and is not throttled.
func TestCgroupAtTheTop(t *testing.T) {
	root := copyHost(t, "v2")
	write(t, root, "sys/fs/cgroup/cpu.stat", "usage_usec 5000000\nuser_usec 1\n")
	got, problems := cgroups(t, root, "0::/\n")
	require.Equal(t, 5.0, got[`fodc_cgroup_cpu_seconds_total{process="node"}`])
	require.NotContains(t, got, `fodc_cgroup_cpu_throttled_seconds_total{process="node"}`)
	require.ErrorIs(t, problems["memory of the node's control group"], os.ErrNotExist)
}

// With both versions, each controller is in one of them.
func TestCgroupsOfBothVersions(t *testing.T) {
	root := copyHost(t, "v2")
	require.NoError(t, os.Remove(filepath.Join(root, "sys/fs/cgroup/cgroup.controllers")))
	write(t, root, "sys/fs/cgroup/unified/db/cpu.stat", "usage_usec 9000000\n")
	write(t, root, "sys/fs/cgroup/memory/db/memory.usage_in_bytes", "55\n")
	write(t, root, "sys/fs/cgroup/memory/db/memory.limit_in_bytes", "9223372036854771712\n") // none
	write(t, root, "sys/fs/cgroup/memory/db/memory.failcnt", "0\n")
	write(t, root, "sys/fs/cgroup/memory/db/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\n")
	got, problems := cgroups(t, root, "4:memory:/db\n1:name=systemd:/db\n0::/db\n")
	require.Equal(t, 55.0, got[nodeMemory])
	require.Equal(t, 9.0, got[`fodc_cgroup_cpu_seconds_total{process="node"}`])
	require.NotContains(t, got, `fodc_cgroup_memory_max_bytes{process="node"}`)
	require.NotContains(t, problems, "memory of the node's control group")
}
