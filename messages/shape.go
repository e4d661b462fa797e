package messages

import (
	"hash/maphash"
	"runtime"
	"slices"
	"sync"
	"weak"
)

// Shape is what a family is beside its values. Answers of one node have it in common, and
// those of nodes that run the same software. It must not be changed.
type Shape struct {
	Name string
	Type MetricType
	Help string
	// Series have no values of their own.
	Series []Series
	// Settled says that a page of a family of the type can show the series as they are: in
	// this order, no two alike, nothing claimed, and all names plain, also that of the
	// family.
	Settled bool
}

// NewShape returns the shape of a family whose series have no values of their own.
func NewShape(name string, t MetricType, help string, series []Series) *Shape {
	return &Shape{Name: name, Type: t, Help: help, Series: series, Settled: IsPlainMetricName(name) && settled(t, series)}
}

// Shared returns the one copy that the process has of a settled shape, for as long as
// anybody has it, and any other shape as it is.
func (s *Shape) Shared() *Shape {
	if !s.Settled {
		return s
	}
	return knownShapes.share(s)
}

// SetShape gives the family the shape, and the series of the shape.
func (f *Family) SetShape(s *Shape) {
	f.Name, f.Type, f.Help, f.Series, f.Shape = s.Name, s.Type, s.Help, s.Series, s
}

// settled finds what Shape.Settled says of the series.
func settled(t MetricType, series []Series) bool {
	var last Place
	for i := range series {
		p, ok := series[i].place(t)
		if !ok || series[i].Claimed != nil || i > 0 && last.Compare(&p) >= 0 {
			return false
		}
		last = p
	}
	return true
}

var knownShapes = shapeTable{seed: maphash.MakeSeed(), byHash: map[uint64]weak.Pointer[Shape]{}}

// shapeTable is the settled shapes of the process, by a hash that no peer can foresee. It
// keeps none of them.
type shapeTable struct {
	seed   maphash.Seed
	mu     sync.Mutex
	byHash map[uint64]weak.Pointer[Shape]
}

// share returns a shape like this one, which is this one if there was none.
func (t *shapeTable) share(s *Shape) *Shape {
	hash := t.hash(s)
	t.mu.Lock()
	defer t.mu.Unlock()
	if known := t.byHash[hash].Value(); known != nil {
		if !known.equal(s) {
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
	suffix Suffix
	known  KnownLabels
}

func (s *Series) settled() settledSeries { return settledSeries{s.Suffix, s.Known} }

func (t *shapeTable) hash(s *Shape) uint64 {
	var h maphash.Hash
	h.SetSeed(t.seed)
	maphash.WriteComparable(&h, s.Name)
	maphash.WriteComparable(&h, s.Type)
	maphash.WriteComparable(&h, s.Help)
	for i := range s.Series {
		maphash.WriteComparable(&h, s.Series[i].settled())
	}
	return h.Sum64()
}

func (s *Shape) equal(other *Shape) bool {
	return s.Name == other.Name && s.Type == other.Type && s.Help == other.Help &&
		slices.EqualFunc(s.Series, other.Series, func(a, b Series) bool { return a.settled() == b.settled() })
}
