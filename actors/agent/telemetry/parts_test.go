package telemetry

import (
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/procfs"
	"github.com/stretchr/testify/require"
)

func TestWholeDisks(t *testing.T) {
	f := func(want bool, devices string) {
		t.Helper()
		for d := range strings.FieldsSeq(devices) {
			require.Equal(t, want, isWholeDisk(d), d)
		}
	}
	f(true, "sda sdaa vda xvda hdc nvme0n1 nvme10n12 dm-0 md127 mmcblk0 sr0 nbd0 rbd0 bcache0 pmem0 drbd1")
	f(false, "sda1 sdaa15 vdb2 xvda1 hda1 nvme0n1p1 nvme10n12p3 mmcblk0p2 nbd0p1 md127p1 ram0 zram0 loop12 fd0")
}

func TestMountOf(t *testing.T) {
	mounts := []*procfs.MountInfo{
		{MajorMinorVer: "8:0", MountPoint: "/", FSType: "ext4", Source: "/dev/sda1"},
		{MajorMinorVer: "8:1", MountPoint: "/data", FSType: "ext4", Source: "/dev/sdb1"},
		{MajorMinorVer: "8:2", MountPoint: "/data/deep", FSType: "xfs", Source: "/dev/sdc1"},
		{MajorMinorVer: "8:3", MountPoint: `/a\040b\134c`, FSType: "nfs", Source: `host:/x\011y`},
		{MajorMinorVer: "8:4", MountPoint: "/data", FSType: "overlay", Source: "over"},
	}
	f := func(want mount, dir string) {
		t.Helper()
		got, err := mountOf(mounts, dir)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	root, data := mount{"/dev/sda1", "ext4", "/", "8:0"}, mount{"over", "overlay", "/data", "8:4"}
	f(root, "/")
	f(root, "/other")
	f(root, "/data2")
	f(data, "/data")
	f(data, "/data/")
	f(data, "/data/x/../y")
	f(mount{"/dev/sdc1", "xfs", "/data/deep", "8:2"}, "/data/deep/er")
	f(mount{"host:/x\ty", "nfs", `/a b\c`, "8:3"}, `/a b\c/d`)
	f(root, "/a b")

	_, err := mountOf(mounts[1:], "/other")
	require.EqualError(t, err, "no mount is known that /other lies in")
}

func TestUnescapeMount(t *testing.T) {
	f := func(want, text string) {
		t.Helper()
		require.Equal(t, want, unescapeMount(text))
	}
	f("", "")
	f("/a b", `/a\040b`)
	f("\t\n\\", `\011\012\134`)
	f(`\`, `\`)
	f(`\04`, `\04`)
	f(`\999`, `\999`)
	f(`\777`, `\777`)
	f("\xff", `\377`)
}

// Idle time that steps back a little is not taken for a restart of the processor.
func TestProcessorTimesDoNotStepBack(t *testing.T) {
	root := copyHost(t, "v2")
	host := newHost(root + "/proc")
	stat := func(idle, iowait int) map[string]float64 {
		write(t, root, "proc/stat", fmt.Sprintf("cpu0 1000 10 500 %d %d 0 20 3 50 0\n", idle, iowait))
		return values(host.Read(readAt).Samples)
	}
	const idle, wait = `node_cpu_seconds_total{cpu="0",mode="idle"}`, `node_cpu_seconds_total{cpu="0",mode="iowait"}`
	got := stat(30000, 500)
	require.Equal(t, []float64{300, 5}, []float64{got[idle], got[wait]})
	got = stat(29900, 400)
	require.Equal(t, []float64{300, 5}, []float64{got[idle], got[wait]})
	got = stat(30100, 450)
	require.Equal(t, []float64{301, 5}, []float64{got[idle], got[wait]})
	got = stat(100, 2) // it was taken away and came back
	require.Equal(t, []float64{1, 0.02}, []float64{got[idle], got[wait]})
}

func TestTooManyDevices(t *testing.T) {
	root := copyHost(t, "v2")
	var cpus, disks strings.Builder
	interfaces := strings.Builder{}
	interfaces.WriteString("1\n2\n")
	for i := range maxDevices + 1 {
		fmt.Fprintf(&cpus, "cpu%d 1 1 1 1 1 1 1 1 1 1\n", i)
		fmt.Fprintf(&disks, "1 1 dm-%03d 1 1 1 1 1 1 1 1 1 1 1\n", i)
		fmt.Fprintf(&interfaces, "veth%03d: 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\n", i)
	}
	write(t, root, "proc/stat", cpus.String())
	write(t, root, "proc/diskstats", disks.String())
	write(t, root, "proc/net/dev", interfaces.String())
	all, problems := readAll(Sources(modern(root)))
	checkSamples(t, all)
	require.EqualError(t, problems["cpu"], "257 processors: the first 256 are read")
	require.EqualError(t, problems["disks"], "257 disks: the first 256 are read")
	require.EqualError(t, problems["network"], "257 network interfaces: the first 256 are read")
	got := values(all)
	for _, name := range []string{`node_cpu_seconds_total{cpu="%d",mode="user"}`, `node_disk_io_now{device="dm-%03d"}`,
		`node_network_receive_bytes_total{device="veth%03d"}`} {
		require.Contains(t, got, fmt.Sprintf(name, maxDevices-1))
		require.NotContains(t, got, fmt.Sprintf(name, maxDevices))
	}
}

// A library that panics on contents costs one collector.
func TestPanicsAreContained(t *testing.T) {
	root := copyHost(t, "v2")
	write(t, root, "proc/net/dev", "1\n2\neth0: 1 2\n")
	write(t, root, "proc/200/stat", "200 ()")
	all, problems := readAll(Sources(modern(root)))
	require.ErrorContains(t, problems["network"], "read network: unexpected contents: runtime error")
	require.ErrorContains(t, problems["node's process"], "read node's process: unexpected contents: runtime error")
	require.Len(t, problems, 2)
	got := values(all)
	require.Contains(t, got, "node_sockstat_sockets_used", "what comes after")
	require.Contains(t, got, `node_filesystem_files{device="/dev/mapper/vg-data",fstype="xfs",mountpoint="/data"}`)
	require.NotContains(t, page(all), "fodc_node_process_")
}

// Good lines are kept.
func TestBadLinesOfVMStat(t *testing.T) {
	root := copyHost(t, "v2")
	write(t, root, "proc/vmstat", "pgfault 1\npgmajfault x\noom_kill 2\nallocstall_a\"b 3\npgscan_ 4\npgsteal_x_y 5\n")
	all, problems := readAll(Sources(modern(root)))
	checkSamples(t, all)
	require.EqualError(t, problems["vmstat"], `vmstat has a line that is no name and number: "pgmajfault x\n"`)
	got := values(all)
	require.NotContains(t, got, "node_vmstat_pgmajfault")
	for name, want := range map[string]float64{"pgfault": 1, "oom_kill": 2, "pgscan_": 4, "pgsteal_x_y": 5} {
		require.Equal(t, want, got["node_vmstat_"+name], name)
	}
}
