package recorder

import (
	"slices"
	"strings"

	"fodc/messages"
)

// familyMeta is what a family's series have in common.
type familyMeta struct {
	name string
	kind messages.MetricType
	// fromAgent says that it is of readings: a page does not describe it otherwise.
	fromAgent bool
	help      string
}

// familyTable are the families of one target, by number. Type and help are those of
// the newest page that has the family, for the whole window: an answer does not
// contradict itself.
type familyTable struct {
	all []familyMeta
	// shared says that a reader has all: it is copied before an entry changes. What is
	// appended behind its end does no harm.
	shared bool
	// seriesCounts counts the series of each.
	seriesCounts []int
	byName       sizedMap[string, int]
	free         []int
	// textBytes is what names and helps take.
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

// retain returns the number of the family for one series more.
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

// update sets the type and help of a family.
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
	m.name, m.help = strings.Clone(m.name), strings.Clone(m.help) // They may be parts of longer texts.
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

// release counts a series less; a family without any leaves.
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

// view returns all families as they are now. It must not be changed.
func (f *familyTable) view() []familyMeta {
	f.shared = true
	return f.all
}

func (f *familyTable) copyIfShared() {
	if f.shared {
		f.all, f.shared = slices.Clone(f.all), false
	}
}
