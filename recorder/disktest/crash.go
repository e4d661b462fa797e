package disktest

import (
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

// sector is what a disk writes as one, in bytes.
const sector = 512

// After ends the process now, if it has not ended yet, and returns the disk as the next process finds it,
// without faults. After a kill, what was not synced still is not.
func (d *Disk) After(c Crash, rng *rand.Rand) *Disk {
	d.mu.Lock()
	d.stopped = true
	d.mu.Unlock()
	next := d.Copy()
	if c == PowerCut {
		next.root = next.root.losePower(nil, rng)
		next.bytes = next.root.size()
	}
	return next
}

// Copy returns a disk with the same files, without faults.
func (d *Disk) Copy() *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	next := New()
	next.total, next.other, next.bytes = d.total, d.other, d.bytes
	next.root = copies{}.of(d.root)
	return next
}

// copies are of inodes: one that has two names is one after that, too.
type copies map[*inode]*inode

func (c copies) of(n *inode) *inode {
	if n == nil {
		return nil
	}
	if c[n] != nil {
		return c[n]
	}
	made := &inode{data: slices.Clone(n.data), synced: n.synced}
	c[n] = made
	if n.names != nil {
		made.names, made.syncedNames = map[string]*inode{}, map[string]*inode{}
		for name, child := range n.names {
			made.names[name] = c.of(child)
		}
		for name, child := range n.syncedNames {
			made.syncedNames[name] = c.of(child)
		}
	}
	return made
}

// losePower returns what a power cut leaves: of each name of a directory what it is now or what was synced, of each file what was
// synced and any of the rest. stale is what the blocks of a file may have held before.
func (n *inode) losePower(stale []byte, rng *rand.Rand) *inode {
	if n.names == nil {
		data := n.loseData(stale, rng)
		return &inode{data: data, synced: len(data)}
	}
	all := maps.Clone(n.names)
	maps.Copy(all, n.syncedNames)
	names := slices.Sorted(maps.Keys(all)) // Sorted, so that a seed gives the same every time.
	left := map[string]*inode{}
	for _, name := range names {
		child := n.syncedNames[name]
		if child != n.names[name] && rng.IntN(2) == 0 {
			child = n.names[name]
		}
		if child != nil {
			left[name] = child.losePower(all[names[rng.IntN(len(names))]].data, rng)
		}
	}
	return &inode{names: left, syncedNames: maps.Clone(left)}
}

func (n *inode) loseData(stale []byte, rng *rand.Rand) []byte {
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
	return data
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
