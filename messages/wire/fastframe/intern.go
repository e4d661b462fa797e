package fastframe

import (
	"hash/maphash"
	"slices"

	"fodc/messages"
)

// The nodes of a cluster usually run the same software. Their families are alike, and so are
// the lists of families of their blocks: the process keeps one copy of each.
var (
	internSeed     = maphash.MakeSeed()
	descriptorPool = newInternPool(equalDescriptors)
	familyListPool = newInternPool(equalFamilyLists)
)

// internDescriptor returns the process's copy of a normalized descriptor. Others are returned
// as they are.
func internDescriptor(d *messages.Descriptor) *messages.Descriptor {
	if !d.Normalized {
		return d
	}
	return descriptorPool.intern(descriptorHash(d), d)
}

// normalizedSeries is all that a series of a normalized descriptor has: its labels are in info.
type normalizedSeries struct {
	suffix messages.Suffix
	info   messages.InternedLabelInfo
}

func normalizedOf(s *messages.Series) normalizedSeries { return normalizedSeries{s.Suffix, s.Info} }

func descriptorHash(d *messages.Descriptor) uint64 {
	var h maphash.Hash
	h.SetSeed(internSeed)
	maphash.WriteComparable(&h, d.Name)
	maphash.WriteComparable(&h, d.Type)
	maphash.WriteComparable(&h, d.Help)
	for i := range d.Series {
		maphash.WriteComparable(&h, normalizedOf(&d.Series[i]))
	}
	return h.Sum64()
}

// equalDescriptors reports whether two normalized descriptors are equal.
func equalDescriptors(a, b *messages.Descriptor) bool {
	return a.Name == b.Name && a.Type == b.Type && a.Help == b.Help &&
		slices.EqualFunc(a.Series, b.Series, func(x, y messages.Series) bool { return normalizedOf(&x) == normalizedOf(&y) })
}

// familyList is the families of a block without their values. Blocks share it.
type familyList struct {
	families          []messages.Family
	series, textBytes int
}

// newFamilyList returns the process's copy of the list of the families.
func newFamilyList(families []messages.Family) *familyList {
	l := &familyList{families: slices.Clone(families)}
	var h maphash.Hash
	h.SetSeed(internSeed)
	for i := range l.families {
		f := &l.families[i]
		f.Values = nil
		l.series += len(f.Series)
		l.textBytes += f.TextBytes()
		maphash.WriteComparable(&h, f.Descriptor)
	}
	return familyListPool.intern(h.Sum64(), l)
}

// equalFamilyLists reports whether two lists have the same descriptors. Defined families have
// no claimed labels, so the descriptors are all that can differ.
func equalFamilyLists(a, b *familyList) bool {
	return slices.EqualFunc(a.families, b.families, func(x, y messages.Family) bool { return x.Descriptor == y.Descriptor })
}
