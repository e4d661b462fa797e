//go:build e2e && linux && (amd64 || arm64)

package kernel

import (
	"errors"
	"io"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// syncFile appends a block to a file and syncs it, so and so often. It returns how many ns the syncs took.
func syncFile(args []string) (took int64, err error) {
	f, err := os.OpenFile(args[1], os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	call := map[string]func(int) error{"fsync": unix.Fsync, "fdatasync": unix.Fdatasync}[args[0]]
	for range numberOf(args[2]) {
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			return 0, err
		}
		from := time.Now()
		err := call(int(f.Fd()))
		took += int64(time.Since(from))
		if err != nil {
			return 0, err
		}
	}
	return took, nil
}

// direct writes and reads blocks without the page cache. It returns how many ns that took.
func direct(args []string) (took int64, err error) {
	f, err := os.OpenFile(args[0], os.O_RDWR|unix.O_DIRECT, 0)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	block := aligned()
	for i := range numberOf(args[1]) {
		from := time.Now()
		if i%2 == 0 {
			_, err = f.WriteAt(block, int64(i%256)*4096)
		} else {
			_, err = f.ReadAt(block, int64(i%256)*4096)
		}
		took += int64(time.Since(from))
		if err != nil {
			return 0, err
		}
	}
	return took, nil
}

// fail writes a block to each place of a file, so and so often, which fails: without the page cache, or at a sync that follows. It returns
// how often it failed: with EIO, plus a thousand times with ENOSPC, plus a million times with others.
func fail(args []string) (failures int64, err error) {
	how := args[0]
	flags := map[string]int{"direct": unix.O_DIRECT}[how]
	f, err := os.OpenFile(args[1], os.O_RDWR|flags, 0)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	block, fd := aligned(), int(f.Fd())
	for i := range numberOf(args[2]) {
		_, err := unix.Pwrite(fd, block, int64(i)*4096)
		if err == nil && how == "fsync" {
			err = unix.Fsync(fd)
		}
		if err == nil && how == "fdatasync" {
			err = unix.Fdatasync(fd)
		}
		switch {
		case errors.Is(err, unix.EIO):
			failures++
		case errors.Is(err, unix.ENOSPC):
			failures += 1e3
		case err != nil:
			failures += 1e6
		}
	}
	return failures, nil
}

// aligned returns a block that may be written without the page cache.
func aligned() []byte {
	space := make([]byte, 8192)
	at := 4096 - int(uintptr(unsafe.Pointer(&space[0]))%4096)
	return space[at : at+4096]
}

// read reads a file, and returns its size.
func read(args []string) (int64, error) {
	f, err := os.Open(args[0])
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return io.Copy(io.Discard, f)
}

// drop throws the pages of a file out of the page cache.
func drop(args []string) (int64, error) {
	f, err := os.Open(args[0])
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return 0, unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
}

// incore returns for each page of memory that is a file whether it is in the page cache: the lowest bit.
func incore(space []byte) ([]byte, error) {
	pages := make([]byte, (len(space)+os.Getpagesize()-1)/os.Getpagesize())
	_, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&space[0])), uintptr(len(space)), uintptr(unsafe.Pointer(&pages[0])))
	if errno != 0 {
		return nil, errno
	}
	return pages, nil
}
