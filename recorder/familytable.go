package recorder

import (
	"slices"
	"strings"
)

// familyTable has the families of one target. A series refers to its family by index. Type and
// help are those of the newest page with the family, for all chunks, so that an answer does
// not contradict itself.
type familyTable struct {
	all []Family
	// shared says that snapshots have all, so that it is copied before an entry changes.
	// Appending to it needs no copy.
	shared bool
	// seriesCounts are the numbers of series of the families.
	seriesCounts []int
	byName       sizedMap[string, int]
	free         []int
	// version counts how often a family got another type or help.
	version int64
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
func (f *familyTable) retain(m Family) int {
	i, ok := f.byName.entries[m.Name]
	if ok {
		f.update(i, m)
	} else {
		i = f.add(m)
	}
	f.seriesCounts[i]++
	return i
}

// update sets the type and help of the family at the index, unless the agent makes its
// samples and they are not from the agent.
func (f *familyTable) update(i int, m Family) {
	if m.FromAgent || !f.all[i].FromAgent {
		f.set(i, m)
	}
}

// set sets all of the family at the index but its name.
func (f *familyTable) set(i int, m Family) {
	old := f.all[i]
	if old.Type == m.Type && old.Help == m.Help && old.FromAgent == m.FromAgent {
		return
	}
	f.version++
	f.copyIfShared()
	f.textBytes += sizeOf(len(m.Help)) - sizeOf(len(old.Help))
	f.all[i] = Family{Name: old.Name, Type: m.Type, FromAgent: m.FromAgent, Help: strings.Clone(m.Help)}
}

func (f *familyTable) add(m Family) int {
	m.Name, m.Help = strings.Clone(m.Name), strings.Clone(m.Help) // They may be substrings of a whole page.
	f.textBytes += sizeOf(len(m.Name)) + sizeOf(len(m.Help))
	i := len(f.all)
	if n := len(f.free); n > 0 {
		i, f.free = f.free[n-1], f.free[:n-1]
		f.copyIfShared()
		f.all[i] = m
	} else {
		f.all = append(f.all, m)
		f.seriesCounts = append(f.seriesCounts, 0)
	}
	f.byName.set(m.Name, i)
	return i
}

// release counts one series less. A family without series is removed.
func (f *familyTable) release(i int) {
	if f.seriesCounts[i]--; f.seriesCounts[i] > 0 {
		return
	}
	f.byName.remove(f.all[i].Name)
	f.textBytes -= sizeOf(len(f.all[i].Name)) + sizeOf(len(f.all[i].Help))
	f.copyIfShared()
	f.all[i] = Family{}
	f.free = append(f.free, i)
}

// view returns all families as they are now, for snapshots. It must not be changed.
func (f *familyTable) view() []Family {
	f.shared = true
	return f.all
}

func (f *familyTable) copyIfShared() {
	if f.shared {
		f.all, f.shared = slices.Clone(f.all), false
	}
}

// list returns a list of the series, with their families.
func (f *familyTable) list(all []*series) *SeriesList {
	l := &SeriesList{Keys: make([]SeriesKey, len(all)), FamilyOf: make([]int32, len(all))}
	// indexes are those in l.Families plus 1, by index in the table.
	indexes := make([]int32, len(f.all))
	for i, s := range all {
		l.Keys[i] = s.SeriesKey
		if indexes[s.family] == 0 {
			l.Families = append(l.Families, f.all[s.family])
			indexes[s.family] = int32(len(l.Families))
		}
		l.FamilyOf[i] = indexes[s.family] - 1
	}
	l.Families = slices.Clip(l.Families)
	return l
}

// named returns the families that there are.
func (f *familyTable) named() []Family {
	families := make([]Family, 0, len(f.byName.entries))
	for _, m := range f.all {
		if m.Name != "" {
			families = append(families, m)
		}
	}
	return families
}
