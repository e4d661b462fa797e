package journal_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"fodc/recorder"
	"fodc/recorder/disktest"
	"fodc/recorder/journal"
	"fodc/recorder/journal/journaltest"
)

var (
	oneSeed   = flag.Uint64("seed", 0, "play this seed only, or as many from this one on as -seeds says")
	manySeeds = flag.Uint64("seeds", 0, "how many seeds to play (default 2000, with -seed 1)")
)

// defaultSeeds are enough to come to see all kinds of faults hundreds of times; make seeds plays more.
const defaultSeeds = 2000

// TestCrashes lets processes write a journal on a disk that fails, and end in any operation, by a
// kill or a power cut. What is read after that is what was recorded, but for what may be lost: the
// scrape under way, after a power cut what was not synced, and the rest of a segment of which a bit
// was flipped. A failure prints its seed and what was done:
//
//	go test ./recorder/journal -run TestCrashes -seed 7
func TestCrashes(t *testing.T) {
	first, count := uint64(1), uint64(defaultSeeds)
	if *oneSeed > 0 {
		first, count = *oneSeed, 1
	}
	if *manySeeds > 0 {
		count = *manySeeds
	}
	// Thousands of worlds are thousands of times the same garbage.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	var next, failures atomic.Uint64
	var total crashCounts
	var mu sync.Mutex
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for n := next.Add(1) - 1; n < count && failures.Load() < 3; n = next.Add(1) - 1 {
				w := newCrashWorld(first+n, false)
				if err := w.play(); err != nil {
					failures.Add(1)
					again := newCrashWorld(first+n, true)
					err = errors.Join(err, again.play())
					t.Errorf("seed %d (again: go test ./recorder/journal -run TestCrashes -seed %d)\n%s%v", first+n, first+n, again.log.String(), err)
				}
				mu.Lock()
				total.add(w.counts)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	t.Logf("%+v", total)
	if count >= defaultSeeds && failures.Load() == 0 {
		total.require(t)
	}
}

// crashWorld is a disk with successive processes that write a journal.
type crashWorld struct {
	rng     *rand.Rand
	disk    *journaltest.Disk
	cfg     journal.Config
	now     time.Time
	load    *crashLoad
	model   *crashModel
	writer  *journal.Writer
	verbose bool
	log     strings.Builder
	err     error
	counts  crashCounts
	events  int
}

func newCrashWorld(seed uint64, verbose bool) *crashWorld {
	rng := rand.New(rand.NewPCG(seed, 0x70c))
	w := &crashWorld{rng: rng, disk: journaltest.New(), now: begin, load: newCrashLoad(rng), model: newCrashModel(), verbose: verbose, cfg: config,
		counts: crashCounts{Broken: map[disktest.Op]int{}}}
	w.cfg.RetentionBytes = []int64{2 << 10, 8 << 10, 64 << 10, 1 << 30}[rng.IntN(4)]
	w.cfg.RetentionTime = []time.Duration{time.Minute, time.Hour, 72 * time.Hour}[rng.IntN(3)]
	w.cfg.SyncInterval = time.Duration(1+rng.IntN(20)) * time.Second
	if rng.IntN(4) == 0 {
		total := uint64(4<<10 + rng.IntN(64<<10))
		w.disk.SetSpace(total, rng.Uint64N(total))
	}
	return w
}

func (w *crashWorld) note(format string, args ...any) {
	if w.verbose {
		fmt.Fprintf(&w.log, format+"\n", args...)
	}
}

// play lets a few processes live.
func (w *crashWorld) play() error {
	for range 2 + w.rng.IntN(3) {
		w.live()
		if w.err == nil {
			w.crash()
		}
		if w.err != nil {
			return w.err
		}
	}
	return nil
}

// watch checks the size after each operation, and sees what is removed.
func (w *crashWorld) watch(op disktest.Op, name string) {
	switch op {
	case disktest.Write, disktest.Create:
		if number, ok := segmentNumber(name); ok && op == disktest.Create {
			w.model.removed[number], w.model.damaged[number] = false, false
		}
		if total := w.disk.Total(); total > w.cfg.RetentionBytes {
			w.err = fmt.Errorf("%d bytes after %s %s, at most %d are allowed", total, op, name, w.cfg.RetentionBytes)
		}
	case disktest.Remove:
		if w.disk.Bytes(name) == nil {
			w.removed(name)
		}
	}
}

func (w *crashWorld) removed(name string) {
	if number, ok := segmentNumber(name); ok {
		w.note("removed: %s", name)
		w.counts.Removed++
		w.model.removed[number] = true
	}
}

// live lets one process write until it ends.
func (w *crashWorld) live() {
	w.writer = journal.NewWriter(w.disk, w.cfg)
	w.disk.Watch(w.watch)
	w.breakDisk()
	if w.rng.IntN(5) > 0 {
		w.disk.StopAfter(1+w.rng.IntN(80), w.rng)
	}
	number := int64(0)
	accepted, dropped := uint64(0), uint64(0)
	for range 1 + w.rng.IntN(25) {
		if w.disk.Stopped() || w.err != nil {
			return
		}
		w.disturb()
		if err := w.writer.Open(w.now); err != nil {
			w.note("open: %v", err)
			continue
		}
		w.upkeep()
		w.event()
		number++
		b := w.load.next(number, w.now)
		err := w.writer.Append(b, w.now)
		w.model.appended(w.writer, b, err)
		w.note("%s append %d of %s, %d series: %v", w.now.Format(time.DateTime), w.writer.Stats().Base+number, b.Target, len(b.Values), err)
		if err == nil {
			accepted++
		} else {
			dropped++
			w.counts.lost(err)
		}
	}
	w.checkCounts(accepted, dropped)
	if !w.disk.Stopped() && w.err == nil && w.writer.Stats().State != journal.StateClosed {
		_, w.err = w.model.check(w.disk.Copy(), w.writer.View(), false)
	}
	if w.rng.IntN(2) == 0 {
		w.note("close: %v", w.writer.Close(w.now))
		w.model.synced(w.writer)
	}
}

// event may write an event.
func (w *crashWorld) event() {
	if w.rng.IntN(4) > 0 {
		return
	}
	w.events++
	e := recorder.Event{Kind: recorder.EventProcessExit, Target: "host", At: w.now.Truncate(time.Millisecond), Detail: "event " + strconv.Itoa(w.events)}
	err := w.writer.AppendEvent(e, w.now)
	w.model.appendedEvent(w.writer, e, err)
	w.note("append %s: %v", e.Detail, err)
	if err == nil {
		w.counts.Events++
	}
}

// upkeep lets time pass, and does what is due.
func (w *crashWorld) upkeep() {
	switch w.rng.IntN(20) {
	case 0:
		w.now = w.now.Add(-time.Hour)
	case 1:
		w.now = w.now.Add(3 * time.Hour)
	default:
		w.now = w.now.Add(time.Duration(w.rng.IntN(15000)) * time.Millisecond)
	}
	for range 3 {
		due := w.writer.NextDue()
		if due.IsZero() || due.After(w.now) {
			return
		}
		w.note("due: %v", w.writer.Due(w.now))
		w.model.synced(w.writer)
	}
}

// disturb does what others do.
func (w *crashWorld) disturb() {
	segments := w.writer.View().Segments
	switch w.rng.IntN(40) {
	case 0:
		w.breakDisk()
	case 1, 2:
		w.note("the disk works")
		w.disk.Heal()
	case 3:
		if len(segments) > 0 {
			number := segments[w.rng.IntN(len(segments))].Number
			w.note("pin %d: %v", number, w.writer.Pin(number))
		}
	case 4:
		for _, s := range segments {
			_ = w.writer.Unpin(s.Number)
		}
	case 5:
		if files := w.disk.Files(); len(files) > 0 && w.rng.IntN(4) == 0 {
			name := files[w.rng.IntN(len(files))].Name
			w.note("vanished: %s", name)
			w.counts.Vanished++
			w.disk.Vanish(name)
			if number, ok := segmentNumber(name); ok {
				w.model.vanished(number)
			}
		}
	case 6:
		w.writer.Abandon()
		w.model.unsynced = nil
		clear(w.model.newEvents)
	}
}

// faultyOps are the operations that fail; "" is any, and a write fails more often than the others.
var faultyOps = []disktest.Op{"", disktest.Write, disktest.Write, disktest.Sync, disktest.SyncDir, disktest.Create,
	disktest.Remove, disktest.Present, disktest.List, disktest.Open, disktest.Read, disktest.Space, disktest.Close}

func (w *crashWorld) breakDisk() {
	f := disktest.Fault{
		Op: faultyOps[w.rng.IntN(len(faultyOps))], Skip: w.rng.IntN(20), Times: 1 + w.rng.IntN(6), Written: w.rng.IntN(300),
		Err: []error{syscall.EIO, syscall.ENOSPC, syscall.EROFS}[w.rng.IntN(3)],
	}
	w.counts.Broken[f.Op]++
	w.note("the disk fails: %q after %d, %d times, %d bytes written: %v", f.Op, f.Skip, f.Times, f.Written, f.Err)
	w.disk.Break(f)
}

// crash ends the process, and compares what the next one finds.
func (w *crashWorld) crash() {
	kind := disktest.Crash(w.rng.IntN(2))
	w.note("%s", kind)
	w.counts.ended(kind, w.disk.Stopped())
	w.disk = w.disk.After(kind, w.rng)
	w.model.crashed()
	w.flip()
	view, err := journal.OpenView(w.disk)
	if err == nil {
		var found map[*modelScrape]int64
		found, err = w.model.check(w.disk, view, kind == disktest.PowerCut)
		err = errors.Join(err, w.model.checkEvents(w.disk, view, kind == disktest.PowerCut))
		w.model.settle(found, kind == disktest.PowerCut)
	}
	if err != nil {
		w.err = fmt.Errorf("after a %s: %w", kind, err)
	}
}

// flip may flip a bit of a segment.
func (w *crashWorld) flip() {
	files := w.disk.Files()
	if len(files) == 0 || w.rng.IntN(4) > 0 {
		return
	}
	f := files[w.rng.IntN(len(files))]
	number, ok := segmentNumber(f.Name)
	if !ok || f.Size == 0 {
		return
	}
	bit := w.rng.IntN(int(f.Size) * 8)
	w.note("bit %d of %s flips", bit, f.Name)
	w.counts.Flips++
	w.disk.Flip(f.Name, bit)
	w.model.damaged[number] = true
}
