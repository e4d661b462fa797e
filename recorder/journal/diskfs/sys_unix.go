//go:build unix

package diskfs

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// space returns what statfs says of the file system of a directory.
func space(dir string) (free, total uint64, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, 0, &fs.PathError{Op: "statfs", Path: dir, Err: err}
	}
	// Signed on some systems: what is reserved for root can make it negative.
	available := uint64(max(0, int64(s.Bavail)))
	block := uint64(s.Bsize)
	return available * block, (uint64(s.Blocks) - uint64(s.Bfree) + available) * block, nil
}

// syncDirectory syncs a directory. Some file systems cannot: then there is nothing to do.
func syncDirectory(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	err = d.Sync()
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) {
		return nil
	}
	return err
}

// openShared opens a file for reading. On Unix it can be removed meanwhile.
func openShared(path string) (*os.File, error) { return os.Open(path) }
