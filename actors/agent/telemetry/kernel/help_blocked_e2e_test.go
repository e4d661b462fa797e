//go:build e2e && linux && (amd64 || arm64)

package kernel

import (
	"os"
	"runtime"
	"strings"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// blocked returns how many ns the thread did neither run nor wait to, which is how long it slept. do must make raw system calls, as
// Go's runtime may put the thread to sleep after others.
func blocked(do func() error) (int64, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	used, from := threadTime(), time.Now()
	err := do()
	return int64(time.Since(from)) - (threadTime() - used), err
}

// threadTime returns how many ns the thread has run and has waited to.
func threadTime() int64 {
	var ran unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ran); err != nil {
		panic(err)
	}
	text, err := os.ReadFile("/proc/thread-self/schedstat")
	if err != nil {
		panic(err)
	}
	return ran.Nano() + int64(numberOf(strings.Fields(string(text))[1]))
}

// cold reads blocks of a file, each one from the disk. It returns how many ns it slept for that.
func cold(args []string) (int64, error) {
	f, err := os.Open(args[0])
	if err != nil {
		return 0, err
	}
	defer f.Close()
	fd := int(f.Fd())
	of, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if err := unix.Fadvise(fd, 0, 0, unix.FADV_RANDOM); err != nil {
		return 0, err
	}
	if err := unix.Fadvise(fd, 0, 0, unix.FADV_DONTNEED); err != nil {
		return 0, err
	}
	block := make([]byte, 4096)
	return blocked(func() error {
		for i := range numberOf(args[1]) {
			at := int64(i) * 7919 % (of.Size() / 4096) * 4096
			_, _, errno := unix.RawSyscall6(unix.SYS_PREAD64, uintptr(fd), uintptr(unsafe.Pointer(&block[0])), 4096, uintptr(at), 0, 0)
			if errno != 0 {
				return errno
			}
		}
		return nil
	})
}

// write writes to a file. It returns how many ns it slept for that.
func write(args []string) (int64, error) {
	f, err := os.OpenFile(args[0], os.O_WRONLY, 0)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	block := make([]byte, 4096)
	return blocked(func() error {
		_, _, errno := unix.RawSyscall(unix.SYS_WRITE, f.Fd(), uintptr(unsafe.Pointer(&block[0])), 4096)
		if errno != 0 {
			return errno
		}
		return nil
	})
}

// idle waits for work for so many ms: in a pipe, for time, and for another goroutine.
func idle(args []string) (int64, error) {
	third := time.Duration(numberOf(args[0])) * time.Millisecond / 3
	out, in, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer out.Close()
	_ = out.Fd() // It blocks a thread then.
	time.AfterFunc(third, func() { _ = in.Close() })
	_, _ = out.Read(make([]byte, 1))
	span := unix.NsecToTimespec(int64(third))
	if err := unix.Nanosleep(&span, nil); err != nil {
		return 0, err
	}
	<-time.After(third)
	return 0, nil
}

// eat takes so many bytes of memory, with so many threads at once.
func eat(args []string) (int64, error) {
	size, eaters := numberOf(args[0]), numberOf(args[1])
	space, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return 0, err
	}
	var all sync.WaitGroup
	for i := range eaters {
		all.Go(func() {
			runtime.LockOSThread()
			for at := i * 4096; at < size; at += eaters * 4096 {
				space[at] = 1
			}
		})
	}
	all.Wait()
	return 0, nil
}
