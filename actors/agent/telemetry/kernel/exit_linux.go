package kernel

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// errNoStatus says that this kernel does not tell how a process has ended that is no child.
var errNoStatus = errors.New("the kernel tells no status: it needs 6.15 or newer")

// exitWatch waits for the end of a process.
type exitWatch struct {
	pid, stop int // file descriptors: of the process, and of what ends the wait
	id        int
	comm      string
	// status asks how the process has ended. Not known yet: it has no parent's answer yet.
	status func(pidfd int) (status int32, known bool, err error)
}

// WaitExit waits until the process has ended, and returns its exit, with the time at which the kernel has told of it. It needs no
// privilege, and the process need not be a child. Started is the start time of the process in clock ticks since boot, as
// /proc/PID/stat has it: with another one the error is ErrNoProcess. When the context ends, so does the wait, at once, with the
// context's error. Other errors are those of the kernel, which may have no pidfds (before 5.3) or no file descriptor left.
func WaitExit(ctx context.Context, pid int, started uint64) (Event, error) {
	w, err := openExit(pid, started)
	if err != nil {
		return Event{}, err
	}
	defer w.close()
	return w.wait(ctx)
}

func openExit(pid int, started uint64) (*exitWatch, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil, ErrNoProcess
	}
	if err != nil {
		return nil, fmt.Errorf("pidfd of process %d: %w", pid, err)
	}
	w := &exitWatch{pid: fd, stop: -1, id: pid, status: exitStatus}
	// The id may have changed hands until it was opened. From here on it cannot.
	stat, err := statOf(pid)
	if err != nil || stat.Starttime != started {
		w.close()
		return nil, ErrNoProcess
	}
	w.comm = stat.Comm
	if w.stop, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		w.close()
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	return w, nil
}

func statOf(pid int) (procfs.ProcStat, error) {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return procfs.ProcStat{}, err
	}
	return p.Stat()
}

func (w *exitWatch) close() {
	unix.Close(w.pid)
	if w.stop >= 0 {
		unix.Close(w.stop)
	}
}

func (w *exitWatch) wait(ctx context.Context) (Event, error) {
	told := make(chan struct{})
	unregister := context.AfterFunc(ctx, func() {
		defer close(told)
		one := [8]byte{1}
		_, _ = unix.Write(w.stop, one[:])
	})
	defer func() {
		if !unregister() {
			<-told // It must not write to what is closed.
		}
	}()
	if err := w.poll(ctx, []unix.PollFd{{Fd: int32(w.pid), Events: unix.POLLIN}, {Fd: int32(w.stop), Events: unix.POLLIN}}, -1); err != nil {
		return Event{}, err
	}
	at := time.Now()
	for gone := false; ; {
		status, known, err := w.status(w.pid)
		if errors.Is(err, unix.ESRCH) && !gone {
			gone, err = true, nil // It was reaped just then: the next answer has the status, with a kernel that knows it.
		}
		e := Event{Kind: ProcessExit, Unknown: true}
		if known {
			e = exitOf(status)
		}
		if known || err != nil || time.Since(at) >= maxReapWait {
			e.At, e.PID, e.Comm = at.Round(0).Truncate(time.Millisecond), w.id, w.comm
			return e, nil
		}
		if err := w.poll(ctx, []unix.PollFd{{Fd: int32(w.stop), Events: unix.POLLIN}}, reapStep); err != nil {
			return Event{}, err
		}
	}
}

// poll waits until one of the files has something to read, at most so long; -1 is for ever.
func (w *exitWatch) poll(ctx context.Context, files []unix.PollFd, limit time.Duration) error {
	ms := -1
	if limit >= 0 {
		ms = int(limit / time.Millisecond)
	}
	for {
		_, err := unix.Poll(files, ms)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("wait for the end of process %d: %w", w.id, err)
		}
		return nil
	}
}

// exitStatus asks the kernel how a process has ended. It knows that when the process was reaped.
func exitStatus(pidfd int) (status int32, known bool, err error) {
	info := unix.PidfdInfo{Mask: unix.PIDFD_INFO_EXIT}
	switch err = unix.IoctlPidfdInfo(pidfd, &info); {
	case err != nil: // ENOTTY, EINVAL: before 6.13. ESRCH: it was reaped, and before 6.15 nothing is kept.
		return 0, false, errors.Join(errNoStatus, err)
	case info.Mask&unix.PIDFD_INFO_EXIT == 0:
		return 0, false, nil
	}
	return info.Exit_code, true, nil
}
