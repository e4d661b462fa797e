//go:build unix

package crash

import (
	"errors"
	"os"
	"syscall"
)

// openFlags keeps an open of what turns out to be a pipe from blocking.
const openFlags = syscall.O_NONBLOCK

// openShared opens a file for reading, so that it can be renamed and removed meanwhile.
func openShared(path string) (*os.File, error) { return os.OpenFile(path, os.O_RDONLY|openFlags, 0) }

// syncDirectory makes a rename in a directory last.
func syncDirectory(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) {
		return err
	}
	return nil
}
