package messages

import (
	"iter"
	"math"
)

// MetricType is the type of a family as its TYPE line says it.
type MetricType uint8

// The types of the text format. Untyped is said by a page, Unknown by none.
const (
	TypeUnknown MetricType = iota
	TypeGauge
	TypeCounter
	TypeHistogram
	TypeSummary
	TypeUntyped
)

// String returns the word that a TYPE line has; an unknown type is "untyped".
func (t MetricType) String() string {
	switch t {
	case TypeGauge:
		return "gauge"
	case TypeCounter:
		return "counter"
	case TypeHistogram:
		return "histogram"
	case TypeSummary:
		return "summary"
	default:
		return "untyped"
	}
}

// Suffix is what follows the family's name in the name of a sample. Only samples
// of histograms and summaries have one.
type Suffix uint8

// The suffixes of the text format, in the order in which a page has them.
const (
	SuffixNone Suffix = iota
	SuffixBucket
	SuffixSum
	SuffixCount
)

// String returns the suffix as it stands in a name.
func (s Suffix) String() string {
	switch s {
	case SuffixBucket:
		return "_bucket"
	case SuffixSum:
		return "_sum"
	case SuffixCount:
		return "_count"
	default:
		return ""
	}
}

// Has reports whether the samples of a family of the type can have the suffix.
func (t MetricType) Has(s Suffix) bool {
	switch s {
	case SuffixNone:
		return true
	case SuffixBucket:
		return t == TypeHistogram
	case SuffixSum, SuffixCount:
		return t == TypeHistogram || t == TypeSummary
	default:
		return false
	}
}

// Block holds families whose series were sampled together, by the same scrapes of
// the same target: one column of timestamps serves them all.
type Block struct {
	// Times is in unix milliseconds, strictly ascending, never empty.
	Times []int64
	// Families with their series. Where Values is not nil answers have them in common: they
	// must not be changed, and have no values of their own. Ask Each, or Unshare.
	Families []Family
	// Values, where it is not nil, is the values of all families, one family behind the
	// other, each as Family.Values has them.
	Values []float64
	// TextBytes is how long names, helps and labels of all families are; 0 where Values is
	// nil.
	TextBytes int
}

// Each yields copies of the families with their values, of which the caller may change what
// is no slice. A copy is valid until the next one comes.
func (b *Block) Each() iter.Seq[*Family] {
	return func(yield func(*Family) bool) {
		var f Family
		values := b.Values
		for i := range b.Families {
			f = b.Families[i]
			if b.Values != nil {
				n := len(f.Series) * len(b.Times)
				f.Values, values = values[:n:n], values[n:]
			}
			if !yield(&f) {
				return
			}
		}
	}
}

// Unshare gives the block families of its own, whose series have values of their own.
func (b *Block) Unshare() {
	families := make([]Family, 0, len(b.Families))
	for f := range b.Each() {
		own := *f
		own.Unshare()
		families = append(families, own)
	}
	b.Families, b.Values, b.TextBytes = families, nil, 0
}

// TextBytes is how long the family's name, help and labels are.
func (f *Family) TextBytes() int {
	bytes := len(f.Name) + len(f.Help) + f.LabelBytes
	if f.Values == nil && f.Shape == nil {
		for i := range f.Series {
			bytes += f.Series[i].LabelBytes()
		}
	}
	return bytes
}

// Family is a metric family: what its series have in common is said once.
type Family struct {
	Name string
	Type MetricType
	// Help is unescaped, and empty where the page has none.
	Help   string
	Series []Series
	// Values, where it is not nil, is the values of all series, one series behind the
	// other, each with one for each of the block's Times. The series have none of their
	// own then, and may be shared among answers: they must not be changed, see Unshare.
	Values []float64
	// Shape is what answers have in common of the family, Series included; nil where they
	// have nothing, and where Values is nil.
	Shape *Shape
	// Claimed is what each of the series claims, see Series; nil where they claim nothing,
	// or each for itself, and where Values is nil.
	Claimed *LabelText
	// LabelBytes is how long all labels of the series are; 0 where Values is nil.
	LabelBytes int
}

// At returns the series at the index with its values, and with what it claims.
func (f *Family) At(i int) Series {
	s := f.Series[i]
	s.Values = f.ValuesOf(i)
	if s.Claimed == nil {
		s.Claimed = f.Claimed
	}
	return s
}

// ValuesOf returns the values of the series at the index.
func (f *Family) ValuesOf(i int) []float64 {
	if f.Values == nil {
		return f.Series[i].Values
	}
	n := len(f.Values) / len(f.Series)
	return f.Values[i*n : (i+1)*n : (i+1)*n]
}

// Unshare gives the series values of their own, and the family series of its own.
func (f *Family) Unshare() {
	if f.Values == nil {
		return
	}
	own := make([]Series, len(f.Series))
	for i := range own {
		own[i] = f.At(i)
	}
	*f = Family{Name: f.Name, Type: f.Type, Help: f.Help, Series: own}
}

// Series is one series of a family. The name of its samples is the family's name
// with the suffix behind it.
type Series struct {
	Suffix Suffix
	// Labels is a label text: see LabelText.
	Labels LabelText
	// Claimed is further labels, a text of those that the identity of a node may have as
	// well (see IsIdentityName), where they were parted from Labels; nil elsewhere.
	Claimed *LabelText
	// Known is the facts of Labels, zero where nobody has looked.
	Known KnownLabels
	// Values has one entry for each of the block's Times, Gap where the series had
	// no sample. Ask Family.ValuesOf, which knows where else they may be.
	Values []float64
}

// AllLabels returns Labels with what is Claimed.
func (s *Series) AllLabels() LabelText {
	if s.Claimed == nil {
		return s.Labels
	}
	return s.Labels.Join(*s.Claimed)
}

// LabelBytes is how long AllLabels is, but for a comma.
func (s *Series) LabelBytes() int {
	if s.Claimed == nil {
		return len(s.Labels)
	}
	return len(s.Labels) + len(*s.Claimed)
}

// gapBits is the stale marker of Prometheus: a NaN that no text page can contain.
const gapBits = 0x7ff0000000000002

// Gap stands in Series.Values where there is no sample. It is a NaN: ask IsGap.
var Gap = math.Float64frombits(gapBits)

// IsGap reports whether v says that there is no sample. Other NaNs are samples.
func IsGap(v float64) bool { return math.Float64bits(v) == gapBits }
