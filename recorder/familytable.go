package recorder

import (
	"slices"
	"strings"

	"fodc/messages"
)

// familyMeta is the metadata of a family.
type familyMeta struct {
	name string
	kind messages.MetricType
	// fromAgent says that the agent makes the family's samples itself: a page cannot change its
	// type and help.
	fromAgent bool
	help      string
}

// familyTable has the families of one target. A series refers to its family by index. Type and
// help are those of the newest page with the family, for all chunks, so that an answer does
// not contradict itself.
type familyTable struct {
	all []familyMeta
	// shared says that snapshots have all, so that it is copied before an entry changes.
	// Appending to it needs no copy.
	shared bool
	// seriesCounts are the numbers of series of the families.
	seriesCounts []int
	byName       sizedMap[string, int]
	free         []int
	// textBytes is the size of all names and helps.
	textBytes int64
}

const (
	familyBytes = 40
	intBytes    = 8
)

func newFamilyTable() familyTable {
	return familyTable{byName: newSizedMap[string, int](stringBytes + intBytes)}
}

func (f *familyTable) bytes() int64 {
	return f.textBytes + f.byName.bytes() +
		sizeOf(cap(f.all)*familyBytes) + sizeOf(cap(f.seriesCounts)*intBytes) + sizeOf(cap(f.free)*intBytes)
}

// retain returns the index of the family, which it adds if need be, and counts one more
// series of it.
func (f *familyTable) retain(m familyMeta) int {
	i, ok := f.byName.entries[m.name]
	if ok {
		f.update(i, m)
	} else {
		i = f.add(m)
	}
	f.seriesCounts[i]++
	return i
}

// update sets the type and help of the family at the index.
func (f *familyTable) update(i int, m familyMeta) {
	old := f.all[i]
	if old.fromAgent && !m.fromAgent || old.kind == m.kind && old.help == m.help && old.fromAgent == m.fromAgent {
		return
	}
	f.copyIfShared()
	f.textBytes += sizeOf(len(m.help)) - sizeOf(len(old.help))
	f.all[i] = familyMeta{name: old.name, kind: m.kind, fromAgent: m.fromAgent, help: strings.Clone(m.help)}
}

func (f *familyTable) add(m familyMeta) int {
	m.name, m.help = strings.Clone(m.name), strings.Clone(m.help) // They may be substrings of a whole page.
	f.textBytes += sizeOf(len(m.name)) + sizeOf(len(m.help))
	i := len(f.all)
	if n := len(f.free); n > 0 {
		i, f.free = f.free[n-1], f.free[:n-1]
		f.copyIfShared()
		f.all[i] = m
	} else {
		f.all = append(f.all, m)
		f.seriesCounts = append(f.seriesCounts, 0)
	}
	f.byName.set(m.name, i)
	return i
}

// release counts one series less. A family without series is removed.
func (f *familyTable) release(i int) {
	if f.seriesCounts[i]--; f.seriesCounts[i] > 0 {
		return
	}
	f.byName.remove(f.all[i].name)
	f.textBytes -= sizeOf(len(f.all[i].name)) + sizeOf(len(f.all[i].help))
	f.copyIfShared()
	f.all[i] = familyMeta{}
	f.free = append(f.free, i)
}

// view returns all families as they are now, for snapshots. It must not be changed.
func (f *familyTable) view() []familyMeta {
	f.shared = true
	return f.all
}

func (f *familyTable) copyIfShared() {
	if f.shared {
		f.all, f.shared = slices.Clone(f.all), false
	}
}
