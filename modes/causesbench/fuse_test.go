//go:build bench && linux

package causesbench

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// What the kernel asks for (linux/fuse.h).
const (
	fuseGetAttr = 3
	fuseOpen    = 14
	fuseRead    = 15
	fuseWrite   = 16
	fuseRelease = 18
	fuseFsync   = 20
	fuseFlush   = 25
	fuseInit    = 26

	fuseAsyncRead, fuseBigWrites, fuseAsyncDirect, fuseMaxPages = 1 << 0, 1 << 5, 1 << 15, 1 << 22
	openParallelDirectWrites                                    = 1 << 6

	maxRequest = 1 << 20
	inFlight   = 256
)

// mountDisk mounts the disk as a file.
func mountDisk(t *testing.T, d *disk) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "disk")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	require.NoError(t, err)
	require.NoError(t, unix.Mount("fodc-disk", file, "fuse", unix.MS_NOSUID|unix.MS_NODEV, fmt.Sprintf("fd=%d,rootmode=100600,user_id=0,group_id=0", fd)))
	t.Cleanup(func() { _ = unix.Unmount(file, unix.MNT_DETACH) })
	go d.serve(fd)
	return file
}

// answer is what the kernel is told, and when. Each is told after those before.
type answer struct {
	text []byte
	at   time.Time
}

// serve serves requests until the disk is unmounted. One thread does all of it, so that none has to be woken up first.
func (d *disk) serve(fd int) {
	asHardware()
	defer unix.Close(fd)
	buffer := make([]byte, maxRequest+4096)
	var later []answer
	for {
		var wait *unix.Timespec // nil: for the next request
		if len(later) > 0 {
			at := unix.NsecToTimespec(max(0, int64(time.Until(later[0].at))))
			wait = &at
		}
		_, _ = unix.Ppoll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, wait, nil)
		n, err := unix.Read(fd, buffer)
		switch {
		case err == nil && n >= 40:
			content, errno, at := d.answer(binary.LittleEndian.Uint32(buffer[4:]), buffer[40:n])
			out := binary.LittleEndian.AppendUint32(nil, uint32(16+len(content)))
			out = binary.LittleEndian.AppendUint32(out, uint32(-int32(errno)))
			out = append(out, buffer[8:16]...)
			later = append(later, answer{append(out, content...), at})
		case err != unix.EAGAIN && err != unix.EINTR && err != unix.ENOENT:
			return
		}
		for len(later) > 0 && !time.Now().Before(later[0].at) {
			_, _ = unix.Write(fd, later[0].text)
			later = later[1:]
		}
	}
}

// answer returns the answer to one request, and when it is told.
func (d *disk) answer(code uint32, in []byte) (out []byte, errno unix.Errno, at time.Time) {
	le := binary.LittleEndian
	switch code {
	case fuseInit:
		out = make([]byte, 64)
		le.PutUint32(out, 7)
		le.PutUint32(out[4:], 31)
		le.PutUint32(out[8:], maxRequest)
		le.PutUint32(out[12:], fuseAsyncRead|fuseBigWrites|fuseAsyncDirect|fuseMaxPages)
		le.PutUint16(out[16:], inFlight)
		le.PutUint16(out[18:], inFlight)
		le.PutUint32(out[20:], maxRequest)
		le.PutUint32(out[24:], 1)
		le.PutUint16(out[28:], maxRequest/4096)
		return out, 0, at
	case fuseGetAttr:
		out = make([]byte, 16+88)
		le.PutUint64(out, 1<<30) // It stays valid.
		le.PutUint64(out[16:], 1)
		le.PutUint64(out[24:], diskSize)
		le.PutUint64(out[32:], diskSize/512)
		le.PutUint32(out[76:], unix.S_IFREG|0o600)
		le.PutUint32(out[80:], 1)
		le.PutUint32(out[96:], diskBlockSize)
		return out, 0, at
	case fuseOpen:
		out = make([]byte, 16)
		le.PutUint32(out[8:], openParallelDirectWrites)
		return out, 0, at
	case fuseRead:
		from, size := le.Uint64(in[8:]), uint64(le.Uint32(in[16:]))
		from = min(from, diskSize)
		size = min(size, diskSize-from)
		return append(out, d.data[from:from+size]...), 0, d.done(int(size))
	case fuseWrite:
		from, data := le.Uint64(in[8:]), in[40:]
		if from+uint64(len(data)) > diskSize {
			return nil, unix.ENOSPC, at
		}
		copy(d.data[from:], data)
		out = make([]byte, 8)
		le.PutUint32(out, uint32(len(data)))
		return out, 0, d.done(len(data))
	case fuseFsync:
		return nil, 0, d.done(0)
	case fuseRelease, fuseFlush:
		return nil, 0, at
	}
	return nil, unix.ENOSYS, at
}
