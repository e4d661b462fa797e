package kernel

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A host: / on a partition of vda, /data on a volume over two disks, one of them encrypted, /pool on btrfs over nvme0n1p2, /run in
// memory.
const mountinfo = `22 1 254:1 / / rw - ext4 /dev/vda1 rw
23 22 253:0 / /data rw - xfs /dev/mapper/vg-data rw
24 22 0:45 / /pool rw - btrfs /dev/nvme0n1p2 rw
25 22 0:23 / /run rw - tmpfs tmpfs rw
26 22 254:1 /sub /with\040space rw - ext4 /dev/vda1 rw
`

func fakeHost(t *testing.T) (proc, sys string) {
	t.Helper()
	root := t.TempDir()
	write := func(name, text string) {
		name = filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
	}
	link := func(name, to string) {
		name = filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.Symlink(filepath.Join(root, to), name))
	}
	write("proc/7/mountinfo", mountinfo)
	require.NoError(t, os.Symlink("7", filepath.Join(root, "proc/self")))
	for dir, number := range map[string]string{"vda": "254:0", "vda/vda1": "254:1", "dm-0": "253:0", "dm-1": "253:1", "sda": "8:0", "sdb": "8:16",
		"nvme0n1": "259:0", "nvme0n1/nvme0n1p2": "259:2"} {
		write("sys/devices/"+dir+"/dev", number+"\n")
		link("sys/dev/block/"+number, "sys/devices/"+dir)
		link("sys/class/block/"+filepath.Base(dir), "sys/devices/"+dir)
		if filepath.Dir(dir) != "." {
			write("sys/devices/"+dir+"/partition", "1\n")
		}
	}
	link("sys/devices/dm-0/slaves/dm-1", "sys/devices/dm-1")
	link("sys/devices/dm-0/slaves/sdb", "sys/devices/sdb")
	link("sys/devices/dm-1/slaves/sda", "sys/devices/sda")
	return filepath.Join(root, "proc"), filepath.Join(root, "sys")
}

func TestFindDevices(t *testing.T) {
	proc, sys := fakeHost(t)
	f := func(dirs []string, want devices) {
		t.Helper()
		got, err := findDevices(proc, sys, dirs)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	vda, sda, sdb := device{254, 0, "vda"}, device{8, 0, "sda"}, device{8, 16, "sdb"}
	vda1, dm := device{254, 1, "vda1"}, device{253, 0, "dm-0"}
	f([]string{"/none/there"}, devices{[]device{vda}, []device{vda1}})
	f([]string{"/with space/x"}, devices{[]device{vda}, []device{vda1}})
	f([]string{"/data/a", "/data/b", "/other"}, devices{[]device{sda, sdb, vda}, []device{dm, vda1}})
	f([]string{"/pool"}, devices{[]device{{259, 0, "nvme0n1"}}, []device{{0, 45, "nvme0n1p2"}}})
	f([]string{"/run/x"}, devices{nil, []device{{0, 23, "0:23"}}})
	f([]string{"/datax"}, devices{[]device{vda}, []device{vda1}})
	require.Equal(t, uint32(254<<20|1), vda1.number())
}

// Places are never given to another device, and there are at most maxDevices.
func TestDevicesKeepTheirPlaces(t *testing.T) {
	var all devices
	require.True(t, all.add(devices{disks: []device{{8, 0, "sda"}}, fileSystems: []device{{8, 1, "sda1"}}}))
	require.False(t, all.add(devices{disks: []device{{8, 0, "renamed"}}}))
	for i := range uint32(20) {
		all.add(devices{disks: []device{{9, i, "x"}}})
	}
	require.Len(t, all.disks, maxDevices)
	require.Equal(t, device{8, 0, "sda"}, all.disks[0])
	require.False(t, all.add(devices{disks: []device{{10, 0, "y"}}}))
}
