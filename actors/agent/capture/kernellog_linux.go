package capture

import (
	"errors"
	"io"
	"time"

	"golang.org/x/sys/unix"
)

// kernelLog is /dev/kmsg. It is no os.File: that would wait for the next record.
type kernelLog struct {
	fd     int
	buffer [maxKernelRecord]byte
}

// openKernelLog opens the kernel's log. Its times are since boot, by a clock that does not run while the host sleeps.
func openKernelLog() (kernelRecords, time.Time, error) {
	fd, err := unix.Open("/dev/kmsg", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return nil, time.Time{}, errors.New("/dev/kmsg: not permitted: it takes root or CAP_SYSLOG, or kernel.dmesg_restrict=0")
	}
	if err != nil {
		return nil, time.Time{}, errors.Join(errors.New("/dev/kmsg"), err)
	}
	var up unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &up); err != nil {
		_ = unix.Close(fd)
		return nil, time.Time{}, err
	}
	return &kernelLog{fd: fd}, time.Now().Add(-time.Duration(up.Nano())), nil
}

func (k *kernelLog) next() ([]byte, error) {
	for range maxKernelRecords {
		n, err := unix.Read(k.fd, k.buffer[:])
		switch {
		case err == nil && n == 0, errors.Is(err, unix.EAGAIN):
			return nil, io.EOF
		case errors.Is(err, unix.EPIPE), errors.Is(err, unix.EINTR), errors.Is(err, unix.EINVAL):
			// It was overwritten before it was read, or is longer than it may be: the next one follows.
			continue
		case err != nil:
			return nil, err
		}
		return k.buffer[:n], nil
	}
	return nil, io.EOF
}

func (k *kernelLog) close() { _ = unix.Close(k.fd) }
