package nodetest

import (
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// dieByFault has a thread read where it must not. The process ends by SIGSEGV, as one that is not written in Go.
func dieByFault() {
	var action [64]byte // the default
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(unix.SIGSEGV), uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
	if errno != 0 {
		panic(errno)
	}
	runtime.LockOSThread()
	page, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_NONE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		panic(err)
	}
	os.Exit(int(page[0]))
}
