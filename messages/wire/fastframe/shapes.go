package fastframe

import (
	"hash/maphash"
	"runtime"
	"slices"
	"sync"
	"weak"

	"fodc/messages"
)

// sharedShape returns the one copy that the process has of a settled shape, for as long as
// anybody has it, and any other shape as it is. Most nodes of a cluster run the same
// software, whose families are alike.
func sharedShape(s *messages.Shape) *messages.Shape {
	if !s.Settled {
		return s
	}
	return knownShapes.share(s)
}

var knownShapes = newShapeTable()

// shapeTable is the settled shapes of the process, by a hash that no agent can foresee. It
// keeps none of them.
type shapeTable struct {
	seed   maphash.Seed
	mu     sync.Mutex
	byHash map[uint64]weak.Pointer[messages.Shape]
}

func newShapeTable() *shapeTable {
	return &shapeTable{seed: maphash.MakeSeed(), byHash: map[uint64]weak.Pointer[messages.Shape]{}}
}

// share returns a shape like this one, which is this one if there was none.
func (t *shapeTable) share(s *messages.Shape) *messages.Shape {
	hash := t.hash(s)
	t.mu.Lock()
	defer t.mu.Unlock()
	if known := t.byHash[hash].Value(); known != nil {
		if !alike(known, s) {
			return s
		}
		return known
	}
	t.byHash[hash] = weak.Make(s)
	runtime.AddCleanup(s, t.forget, hash)
	return s
}

// forget drops a shape that nobody has any more, unless another one has its place.
func (t *shapeTable) forget(hash uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s, there := t.byHash[hash]; there && s.Value() == nil {
		delete(t.byHash, hash)
	}
}

// settledSeries is all of a settled series: what is known has its labels.
type settledSeries struct {
	suffix messages.Suffix
	known  messages.KnownLabels
}

func settledOf(s *messages.Series) settledSeries { return settledSeries{s.Suffix, s.Known} }

func (t *shapeTable) hash(s *messages.Shape) uint64 {
	var h maphash.Hash
	h.SetSeed(t.seed)
	maphash.WriteComparable(&h, s.Name)
	maphash.WriteComparable(&h, s.Type)
	maphash.WriteComparable(&h, s.Help)
	for i := range s.Series {
		maphash.WriteComparable(&h, settledOf(&s.Series[i]))
	}
	return h.Sum64()
}

// alike reports whether two settled shapes are the same.
func alike(a, b *messages.Shape) bool {
	return a.Name == b.Name && a.Type == b.Type && a.Help == b.Help &&
		slices.EqualFunc(a.Series, b.Series, func(x, y messages.Series) bool { return settledOf(&x) == settledOf(&y) })
}
