package journaltest

import (
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
)

// Crash is a way in which a process ends.
type Crash int

const (
	// Kill ends the process: what it wrote is there.
	Kill Crash = iota
	// PowerCut ends the machine: what was not synced may be lost, in part or replaced.
	PowerCut
)

func (c Crash) String() string { return [...]string{"kill", "power cut"}[c] }

// ErrStopped is what operations return after the process has ended: see StopAfter and After.
var ErrStopped = errors.New("the process has ended")

// sector is what a disk writes as one, in bytes.
const sector = 512

type stop struct {
	after int
	rng   *rand.Rand
}

// StopAfter has the process end in the n-th operation from now on. That one may be done, or of a
// write any part. It and all that follow return ErrStopped.
func (d *Disk) StopAfter(n int, rng *rand.Rand) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stop = &stop{after: n, rng: rng}
}

// Stopped reports whether the process has ended.
func (d *Disk) Stopped() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stopped
}

// After ends the process now, if it has not ended yet, and returns the disk as the next process
// finds it, without faults. After a kill, what was not synced still is not.
func (d *Disk) After(c Crash, rng *rand.Rand) *Disk {
	d.mu.Lock()
	d.stopped = true
	d.mu.Unlock()
	next := d.Copy()
	if c == PowerCut {
		next.losePower(rng)
	}
	return next
}

// Copy returns a disk with the same files, without faults.
func (d *Disk) Copy() *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	next := New()
	next.total, next.other = d.total, d.other
	// A file that is in both maps is one file.
	copies := map[*inode]*inode{}
	copied := func(names map[string]*inode) map[string]*inode {
		made := map[string]*inode{}
		for name, n := range names {
			if copies[n] == nil {
				copies[n] = &inode{data: slices.Clone(n.data), synced: n.synced}
			}
			made[name] = copies[n]
		}
		return made
	}
	next.names, next.synced = copied(d.names), copied(d.synced)
	return next
}

// losePower decides for each file and each sector that is not synced what becomes of it.
func (d *Disk) losePower(rng *rand.Rand) {
	all := maps.Clone(d.names)
	maps.Copy(all, d.synced)
	names := slices.Sorted(maps.Keys(all)) // Sorted, so that a seed gives the same every time.
	left := map[string]*inode{}
	for _, name := range names {
		n := d.synced[name]
		if n != d.names[name] && rng.IntN(2) == 0 {
			n = d.names[name]
		}
		if n != nil {
			stale := all[names[rng.IntN(len(names))]].data
			left[name] = n.losePower(stale, rng)
		}
	}
	d.names, d.synced = left, maps.Clone(left)
}

// losePower returns what a power cut leaves of a file. stale is what its blocks may have held
// before.
func (n *inode) losePower(stale []byte, rng *rand.Rand) *inode {
	data := slices.Clone(n.data)
	switch rng.IntN(4) {
	case 0: // All of it is there.
	case 1: // It is cut.
		data = data[:n.synced+rng.IntN(len(data)-n.synced+1)]
	case 2: // Nothing of it is there.
		data = data[:n.synced]
	case 3: // Some sectors are not there, though the file is as long as before.
		garble(data[n.synced:], stale[min(n.synced, len(stale)):], rng)
	}
	return &inode{data: data, synced: len(data)}
}

// garble replaces sectors by zeros, by anything, or by what another file has at the same place.
func garble(data, stale []byte, rng *rand.Rand) {
	for len(data) > 0 {
		part := data[:min(len(data), 1+rng.IntN(sector))]
		switch rng.IntN(4) {
		case 0:
			clear(part)
		case 1:
			for i := range part {
				part[i] = byte(rng.Uint32())
			}
		case 2:
			copy(part, stale)
		}
		data, stale = data[len(part):], stale[min(len(part), len(stale)):]
	}
}
