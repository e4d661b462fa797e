//go:build bench && linux

package causesbench

import (
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Sizes of the files: of what queries read all the time, of what is older, of what is read once, and of each part of a merge.
const (
	hotSize  = 64 << 20
	wideSize = 400 << 20
	coldSize = 256 << 20
	partSize = 40 << 20

	block = 16 << 10
	chunk = 256 << 10
)

// loads is what a process does.
type loads struct {
	dir  string
	cold atomic.Int64
	heap []byte
}

func must[T any](v T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return v
}

func (n *loads) open(name string, flags int) *os.File {
	f := must(os.OpenFile(filepath.Join(n.dir, name), flags|os.O_CREATE|os.O_RDWR, 0o600))
	_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_RANDOM)
	return f
}

// threads begins threads that do something again and again.
func threads(number int, do func(i int) func()) {
	for i := range number {
		go func() {
			runtime.LockOSThread()
			for again := do(i); ; {
				again()
			}
		}()
	}
}

func sleep(mean time.Duration) {
	<-time.After(time.Duration((0.6 + 0.8*rand.Float64()) * float64(mean)))
}

// spin uses the processor for so long as its own clock says.
func spin(long time.Duration) {
	spent := func() (d time.Duration) {
		var at unix.Timespec
		_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &at)
		return time.Duration(at.Nano())
	}
	for end := spent() + long; spent() < end; {
	}
}

// prepare writes the files. None stays in memory.
func (n *loads) prepare() {
	data := make([]byte, 1<<20)
	for name, size := range map[string]int{"hot": hotSize, "wide": wideSize, "cold": coldSize, "part0": partSize, "part1": partSize, "other": partSize} {
		f := n.open(name, 0)
		for range size >> 20 {
			must(f.Write(data))
		}
		must(0, f.Sync())
		must(0, unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED))
		must(0, f.Close())
	}
}

// warm reads what was usual to be in memory before.
func (n *loads) warm() {
	data := make([]byte, 1<<20)
	for _, name := range []string{"wide", "hot", "hot"} {
		f := n.open(name, 0)
		_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_SEQUENTIAL)
		for {
			if k, _ := f.Read(data); k == 0 {
				break
			}
		}
		must(0, f.Close())
	}
}

// reader returns what reads a block anywhere in a file.
func (n *loads) reader(name string, size int64) func() {
	f, data := n.open(name, 0), make([]byte, block)
	return func() { must(f.ReadAt(data, rand.Int63n(size/block)*block)) }
}

// coldReader returns what reads the next block that was not read before.
func (n *loads) coldReader() func() {
	f, data := n.open("cold", 0), make([]byte, block)
	return func() { must(f.ReadAt(data, (n.cold.Add(1)*block)%coldSize)) }
}

// usual is a light load: queries, most of what they read is in memory, and writes that are synced.
func (n *loads) usual() {
	threads(6, func(int) func() {
		hot, cold := n.reader("hot", hotSize), n.coldReader()
		return func() {
			sleep(25 * time.Millisecond)
			hot()
			if rand.Intn(4) == 0 {
				cold()
			}
			spin(time.Millisecond)
		}
	})
	threads(2, func(i int) func() {
		f, data, written := n.open(fmt.Sprint("log", i), os.O_APPEND), make([]byte, block), 0
		return func() {
			sleep(150 * time.Millisecond)
			if written += must(f.Write(data)); written > 8<<20 {
				written = 0
				must(0, f.Truncate(0))
			}
			must(0, unix.Fdatasync(int(f.Fd())))
		}
	})
}

// mergeOnce merges two parts into one, which is removed, and drops their pages, as a merge does.
func (n *loads) mergeOnce(i int, pause time.Duration) {
	name := fmt.Sprint("merged", i)
	to, data, written := n.open(name, os.O_TRUNC), make([]byte, chunk), 0
	for _, part := range []string{"part0", "part1"} {
		from := n.open(part, 0)
		_ = unix.Fadvise(int(from.Fd()), 0, 0, unix.FADV_SEQUENTIAL)
		for {
			k, _ := from.Read(data)
			if k == 0 {
				break
			}
			if written += must(to.Write(data[:k])); written%(4<<20) == 0 {
				must(0, unix.Fdatasync(int(to.Fd())))
			}
			spin(200 * time.Microsecond)
			<-time.After(pause)
		}
		_ = unix.Fadvise(int(from.Fd()), 0, 0, unix.FADV_DONTNEED)
		must(0, from.Close())
	}
	must(0, unix.Fdatasync(int(to.Fd())))
	must(0, to.Close())
	must(0, os.Remove(filepath.Join(n.dir, name)))
}

// merge is a compaction in the background.
func (n *loads) merge() {
	threads(1, func(i int) func() { return func() { n.mergeOnce(i, 15*time.Millisecond) } })
}

// contend is several merges at once, and queries of what was not read before.
func (n *loads) contend() {
	threads(3, func(i int) func() { return func() { n.mergeOnce(i, 0) } })
	threads(10, func(int) func() { return n.coldReader() })
}

// short is a heap that has grown, and much that is written: there is no room for it.
func (n *loads) short() {
	n.heap = make([]byte, 220<<20)
	for i := 0; i < len(n.heap); i += 4096 {
		n.heap[i] = 1
	}
	threads(8, func(i int) func() {
		f, data, at := n.open(fmt.Sprint("ingested", i), 0), make([]byte, chunk), int64(0)
		return func() {
			must(f.WriteAt(data, at))
			at = (at + chunk) % (8 << 20)
			sleep(5 * time.Millisecond)
		}
	})
}

// wide is queries over a longer time: what they read does not fit in memory.
func (n *loads) wide() {
	threads(16, func(int) func() {
		read := n.reader("wide", wideSize)
		return func() { sleep(8 * time.Millisecond); read() }
	})
}

// drop is more queries of what is in memory, which something drops at the same time.
func (n *loads) drop() {
	threads(12, func(int) func() {
		read := n.reader("hot", hotSize)
		return func() { sleep(8 * time.Millisecond); read() }
	})
	threads(1, func(int) func() {
		f := n.open("hot", 0)
		return func() {
			sleep(500 * time.Millisecond)
			_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
		}
	})
}

// burn is queries that compute much.
func (n *loads) burn() {
	threads(burners, func(int) func() { return func() { spin(20 * time.Millisecond); sleep(time.Millisecond) } })
}

// burners is how many threads compute.
const burners = 12

// useProcessor is another process that computes.
func (n *loads) useProcessor() {
	threads(burners, func(int) func() { return func() { spin(time.Second) } })
}

// useDisk is another process that reads and writes past the page cache.
func (n *loads) useDisk() {
	threads(24, func(i int) func() {
		f := n.open("other", unix.O_DIRECT)
		space := make([]byte, 64<<10+4096)
		at := 4096 - int(uintptr(unsafe.Pointer(&space[0]))%4096)
		data := space[at : at+64<<10]
		return func() {
			where := rand.Int63n(partSize/int64(len(data))) * int64(len(data))
			if i%4 == 0 {
				must(f.WriteAt(data, where))
			} else {
				must(f.ReadAt(data, where))
			}
		}
	})
}
