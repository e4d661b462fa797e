//go:build bench && linux

package causesbench

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// device is always the same, since its name is in what is recorded.
const device = "/dev/loop7"

// fileSystem is an ext4 on a loop device.
type fileSystem struct{ dir, device string }

// newFileSystem makes a file system on a disk, with the files of a node in it.
func newFileSystem(t *testing.T, d *disk) fileSystem {
	t.Helper()
	run := func(name string, args ...string) {
		out, err := exec.Command(name, args...).CombinedOutput()
		require.NoError(t, err, "%s %v: %s", name, args, out)
	}
	run("losetup", "--direct-io=on", "--sector-size=4096", device, mountDisk(t, d))
	t.Cleanup(func() { _ = exec.Command("losetup", "--detach", device).Run() })
	run("mkfs.ext4", "-q", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0", device)
	f := fileSystem{t.TempDir(), filepath.Base(device)}
	run("mount", "-o", "nodiscard,noatime", device, f.dir)
	t.Cleanup(func() { _ = exec.Command("umount", f.dir).Run() })
	p := play(t, f.dir)
	p.do(t, "prepare")
	p.end()
	return f
}
