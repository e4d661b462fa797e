//go:build e2e && linux && (amd64 || arm64)

package kernel

import (
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// orders are what a node can do. They return a number.
var orders = map[string]func(args []string) (int64, error){
	"exit":    func(args []string) (int64, error) { os.Exit(numberOf(args[0])); return 0, nil },
	"panic":   func([]string) (int64, error) { go panic("as told"); select {} },
	"default": func(args []string) (int64, error) { return 0, byDefault(numberOf(args[0])) },
	"fault":   func([]string) (int64, error) { go fault(); select {} },
	"raise":   func(args []string) (int64, error) { return 0, unix.Kill(os.Getpid(), unix.Signal(numberOf(args[0]))) },
	"nothing": func([]string) (int64, error) { return 0, nil },
	"handle":  handle,
	"threads": threads,
	"hold":    hold,
	"release": release,
	"begin":   begin,
	"spin":    spin,
	"child":   child,
	"shell":   shell,
	"exec":    execOfAThread,
	"listen":  listen,
	"dial":    dial,
	"reset":   resetAll,
	"forget":  forgetAll,
	"ended":   ended,
	"send":    send,
	"sent":    sent,
	"taken":   taken,
	"resent":  resent,
	"sync":    syncFile,
	"direct":  direct,
	"read":    read,
	"drop":    drop,
	"fail":    fail,
	"cold":    cold,
	"write":   write,
	"idle":    idle,
	"eat":     eat,
}

func numberOf(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

// byDefault gives a signal the effect that it has in other programs than those in Go.
func byDefault(number int) error {
	var action [64]byte
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(number), uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// fault reads where it must not.
func fault() {
	runtime.LockOSThread()
	page, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_NONE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err == nil {
		os.Exit(int(page[0]))
	}
}

// handle handles a signal, and counts nothing.
func handle(args []string) (int64, error) {
	signal.Notify(make(chan os.Signal, 1), syscall.Signal(numberOf(args[0])))
	return 0, nil
}

// threads begins threads that stay.
func threads(args []string) (int64, error) {
	begun := make(chan struct{})
	for range numberOf(args[0]) {
		go func() {
			runtime.LockOSThread()
			begun <- struct{}{}
			select {}
		}()
		<-begun
	}
	return 0, nil
}
