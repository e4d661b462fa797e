//go:build unix

package diskfs

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// lockFile locks an open file, without waiting. The lock ends when the file is closed.
func lockFile(file *os.File) error {
	for {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EWOULDBLOCK):
			return errLocked
		}
		return err
	}
}
