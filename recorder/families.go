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
	// own says that it is of readings: a page does not describe it otherwise.
	own  bool
	help string
}

// families are the families of one target, by number. Type and help are those of
// the newest page that has the family, for the whole window: an answer does not
// contradict itself.
type families struct {
	all []familyMeta
	// shared says that a reader has all: it is copied before an entry changes. What is
	// appended behind its end does no harm.
	shared bool
	// series counts the series of each.
	series []int
	byName index[string, int]
	free   []int
	// texts is what names and helps take.
	texts int64
}

const (
	familyBytes = 40
	intBytes    = 8
)

func newFamilies() families { return families{byName: newIndex[string, int](stringBytes + intBytes)} }

func (f *families) bytes() int64 {
	return f.texts + f.byName.bytes() +
		sizeOf(cap(f.all)*familyBytes) + sizeOf(cap(f.series)*intBytes) + sizeOf(cap(f.free)*intBytes)
}

// retain returns the number of the family for one series more.
func (f *families) retain(m familyMeta) int {
	i, ok := f.byName.entries[m.name]
	if ok {
		f.update(i, m)
	} else {
		i = f.add(m)
	}
	f.series[i]++
	return i
}

// update sets the type and help of a family.
func (f *families) update(i int, m familyMeta) {
	old := f.all[i]
	if old.own && !m.own || old.kind == m.kind && old.help == m.help && old.own == m.own {
		return
	}
	f.own()
	f.texts += sizeOf(len(m.help)) - sizeOf(len(old.help))
	f.all[i] = familyMeta{name: old.name, kind: m.kind, own: m.own, help: strings.Clone(m.help)}
}

func (f *families) add(m familyMeta) int {
	m.name, m.help = strings.Clone(m.name), strings.Clone(m.help) // They may be parts of longer texts.
	f.texts += sizeOf(len(m.name)) + sizeOf(len(m.help))
	i := len(f.all)
	if n := len(f.free); n > 0 {
		i, f.free = f.free[n-1], f.free[:n-1]
		f.own()
		f.all[i] = m
	} else {
		f.all = append(f.all, m)
		f.series = append(f.series, 0)
	}
	f.byName.set(m.name, i)
	return i
}

// release counts a series less; a family without any leaves.
func (f *families) release(i int) {
	if f.series[i]--; f.series[i] > 0 {
		return
	}
	f.byName.remove(f.all[i].name)
	f.texts -= sizeOf(len(f.all[i].name)) + sizeOf(len(f.all[i].help))
	f.own()
	f.all[i] = familyMeta{}
	f.free = append(f.free, i)
}

// view returns all families as they are now. It must not be changed.
func (f *families) view() []familyMeta {
	f.shared = true
	return f.all
}

func (f *families) own() {
	if f.shared {
		f.all, f.shared = slices.Clone(f.all), false
	}
}
