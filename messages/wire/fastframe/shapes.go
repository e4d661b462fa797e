package fastframe

import (
	"hash/maphash"
	"slices"

	"fodc/messages"
)

// Most nodes of a cluster run the same software: their families are alike, and so are the
// blocks that these stand in.
var (
	commonSeed   = maphash.MakeSeed()
	commonShapes = newCommons(alikeShapes)
	commonLists  = newCommons(alikeLists)
)

// sharedShape returns the one copy that the process has of a settled shape, and any other
// shape as it is.
func sharedShape(s *messages.Shape) *messages.Shape {
	if !s.Settled {
		return s
	}
	return commonShapes.share(shapeHash(s), s)
}

// settledSeries is all of a settled series: what is known has its labels.
type settledSeries struct {
	suffix messages.Suffix
	known  messages.KnownLabels
}

func settledOf(s *messages.Series) settledSeries { return settledSeries{s.Suffix, s.Known} }

func shapeHash(s *messages.Shape) uint64 {
	var h maphash.Hash
	h.SetSeed(commonSeed)
	maphash.WriteComparable(&h, s.Name)
	maphash.WriteComparable(&h, s.Type)
	maphash.WriteComparable(&h, s.Help)
	for i := range s.Series {
		maphash.WriteComparable(&h, settledOf(&s.Series[i]))
	}
	return h.Sum64()
}

// alikeShapes reports whether two settled shapes are the same.
func alikeShapes(a, b *messages.Shape) bool {
	return a.Name == b.Name && a.Type == b.Type && a.Help == b.Help &&
		slices.EqualFunc(a.Series, b.Series, func(x, y messages.Series) bool { return settledOf(&x) == settledOf(&y) })
}

// familyList is families without values, as blocks have them in common.
type familyList struct {
	families          []messages.Family
	series, textBytes int
}

// newFamilyList returns the list of the families, of which the process has one copy.
func newFamilyList(families []messages.Family) *familyList {
	l := &familyList{families: slices.Clone(families)}
	var h maphash.Hash
	h.SetSeed(commonSeed)
	for i := range l.families {
		f := &l.families[i]
		f.Values = nil
		l.series += len(f.Series)
		l.textBytes += f.TextBytes()
		maphash.WriteComparable(&h, f.Shape)
	}
	return commonLists.share(h.Sum64(), l)
}

// alikeLists reports whether two lists are of the same shapes: what agents describe claims
// nothing beside.
func alikeLists(a, b *familyList) bool {
	return slices.EqualFunc(a.families, b.families, func(x, y messages.Family) bool { return x.Shape == y.Shape })
}
