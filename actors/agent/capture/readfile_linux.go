package capture

import (
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// scratches have room for what is read of a file: few of them have more than a page, and new memory is what costs most.
var scratches = sync.Pool{New: func() any { return new([maxProcFile]byte) }}

// readFile reads a file of the kernel. A capture reads hundreds: so it takes four system calls and not the nine of os.Open, which
// asks first whether the file can be waited for.
func readFile(name string) (string, error) {
	fd, err := untilDone(func() (int, error) { return unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return "", &os.PathError{Op: "open", Path: name, Err: err}
	}
	defer func() { _ = unix.Close(fd) }()
	scratch := scratches.Get().(*[maxProcFile]byte)
	defer scratches.Put(scratch)
	for n := 0; n < len(scratch); {
		more, err := untilDone(func() (int, error) { return unix.Read(fd, scratch[n:]) })
		if err != nil {
			return string(scratch[:n]), &os.PathError{Op: "read", Path: name, Err: err}
		}
		if more == 0 {
			return string(scratch[:n]), nil
		}
		n += more
	}
	return string(scratch[:]), nil
}

// untilDone calls a system call again that a signal has interrupted.
func untilDone(call func() (int, error)) (int, error) {
	for {
		if n, err := call(); err != unix.EINTR {
			return n, err
		}
	}
}
