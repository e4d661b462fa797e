package capture

import (
	"bytes"
	"os"

	"golang.org/x/sys/unix"
)

// readAtATime is more than most files of the kernel have.
const readAtATime = 4 << 10

// readFile reads a file of the kernel. A capture reads hundreds: so it takes four system calls and not the nine of os.Open, which
// asks first whether the file can be waited for.
func readFile(name string) (text bytes.Buffer, err error) {
	fd, err := untilDone(func() (int, error) { return unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return text, &os.PathError{Op: "open", Path: name, Err: err}
	}
	defer func() { _ = unix.Close(fd) }()
	for text.Len() < maxProcFile {
		text.Grow(min(readAtATime, maxProcFile-text.Len()))
		free := text.AvailableBuffer()
		free = free[:min(cap(free), maxProcFile-text.Len())]
		n, err := untilDone(func() (int, error) { return unix.Read(fd, free) })
		if err != nil {
			return text, &os.PathError{Op: "read", Path: name, Err: err}
		}
		if n == 0 {
			break
		}
		text.Write(free[:n])
	}
	return text, nil
}

// untilDone calls a system call again that a signal has interrupted.
func untilDone(call func() (int, error)) (int, error) {
	for {
		if n, err := call(); err != unix.EINTR {
			return n, err
		}
	}
}
