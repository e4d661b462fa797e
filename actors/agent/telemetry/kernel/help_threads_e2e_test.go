//go:build e2e && linux && (amd64 || arm64)

package kernel

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

var (
	held    sync.WaitGroup
	freed   = make(chan struct{})
	unheard = make(chan error, 1)
)

// onThread runs something on a thread of its own, which ends with it. The thread is begun for it: another would be used again.
func onThread(do func() error) {
	runtime.LockOSThread() // It is not unlocked, so that the thread ends.
	if err := do(); err != nil {
		select {
		case unheard <- err:
		default:
		}
	}
}

// heard is the error of one of the threads.
func heard() error {
	select {
	case err := <-unheard:
		return err
	default:
		return nil
	}
}

func fsyncOnce(name string) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Fsync(int(f.Fd()))
}

// hold begins threads that wait until they are released. Then each syncs a file once, and ends.
func hold(args []string) (int64, error) {
	begun := make(chan struct{})
	for range numberOf(args[0]) {
		held.Add(1)
		go onThread(func() error {
			defer held.Done()
			begun <- struct{}{}
			<-freed
			return fsyncOnce(args[1])
		})
		<-begun
	}
	return 0, nil
}

func release([]string) (int64, error) {
	close(freed)
	held.Wait()
	freed = make(chan struct{})
	return 0, heard()
}

// begin begins threads, so and so many at a time. Each syncs a file once, and ends. It returns how many they were.
func begin(args []string) (int64, error) {
	ids := sync.Map{}
	all, atOnce := numberOf(args[0]), numberOf(args[1])
	for range all / atOnce {
		var some sync.WaitGroup
		for range atOnce {
			some.Add(1)
			go onThread(func() error {
				defer some.Done()
				ids.Store(unix.Gettid(), true)
				return fsyncOnce(args[2])
			})
		}
		some.Wait()
	}
	number := int64(0)
	ids.Range(func(any, any) bool { number++; return true })
	return number, heard()
}

// child begins a process, which is a node that is told one thing. It returns 0 if that has done it.
func child(args []string) (int64, error) {
	c := exec.Command("/proc/self/exe")
	c.Stdin = strings.NewReader(strings.Join(args, " ") + "\n")
	out, err := c.Output()
	if err == nil && strings.Count(string(out), "ok ") != 2 {
		err = errors.New(string(out))
	}
	return 0, err
}

// shell runs a script. It returns the signal that has ended it.
func shell(args []string) (int64, error) {
	c := exec.Command("/bin/sh", "-c", strings.Join(args, " "))
	err := c.Run()
	if c.ProcessState == nil {
		return 0, err
	}
	status, _ := c.ProcessState.Sys().(interface{ Signal() unix.Signal })
	return int64(status.Signal()), nil
}

// execOfAThread begins the node anew in the same process, by a thread that is not the first one. The answer is that of the new one.
func execOfAThread([]string) (int64, error) {
	failed := make(chan error)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			go func() { // The first thread is taken, so that this is another one.
				runtime.LockOSThread()
				failed <- unix.Exec("/proc/self/exe", []string{"exe"}, os.Environ())
			}()
			select {}
		}
		failed <- unix.Exec("/proc/self/exe", []string{"exe"}, os.Environ())
	}()
	return 0, <-failed
}

// spin computes for so many ms on so many threads, which stay.
func spin(args []string) (int64, error) {
	until := time.Now().Add(time.Duration(numberOf(args[0])) * time.Millisecond)
	var all sync.WaitGroup
	for range numberOf(args[1]) {
		all.Add(1)
		go func() {
			runtime.LockOSThread()
			for time.Now().Before(until) {
			}
			all.Done()
			select {}
		}()
	}
	all.Wait()
	return 0, nil
}
