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

// MaxTargetBytes bounds the name of what is scraped: see Block.Target.
const MaxTargetBytes = 4 << 10

// Block holds families whose series were sampled together, by the same scrapes of
// the same target: one column of timestamps serves them all.
type Block struct {
	// Target names what was scraped; it is empty where that was not asked for, or the agent does
	// not say it. See Selection.ScrapeTimes.
	Target string
	// Times is in unix milliseconds, strictly ascending, never empty.
	Times []int64
	// Families are the families with their series. If Values is set, answers share them: they
	// have no values and must not be changed. Read them by Each, or copy them by Unshare. There are
	// none in a block that says when its target was scraped: see Selection.ScrapeTimes.
	Families []Family
	// Values, if not nil, holds the values of all families, one family after the other, each
	// laid out as Family.Values is.
	Values []float64
	// TextBytes is the length of the names, helps and labels of all families. It is 0 if
	// Values is nil.
	TextBytes int
}

// Each yields a copy of each family with its values. The caller may change the copy's fields,
// but not the elements of its slices. A copy is valid until the next one is yielded.
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

// Unshare replaces shared families by copies whose series have values of their own.
func (b *Block) Unshare() {
	families := make([]Family, 0, len(b.Families))
	for f := range b.Each() {
		own := *f
		own.Unshare()
		families = append(families, own)
	}
	b.Families, b.Values, b.TextBytes = families, nil, 0
}

// TextBytes returns the length of the family's name, help and labels.
func (f *Family) TextBytes() int {
	bytes := len(f.Name) + len(f.Help) + f.LabelBytes
	if f.Values == nil && f.Descriptor == nil {
		for i := range f.Series {
			bytes += f.Series[i].LabelBytes()
		}
	}
	return bytes
}

// Family is a metric family in columnar form.
type Family struct {
	Name string
	Type MetricType
	// Help is unescaped, and empty where the page has none.
	Help   string
	Series []Series
	// Values, if not nil, holds the values of all series, one series after the other, each
	// with one value for each of the block's Times. The series have no values then, and
	// answers may share them: they must not be changed, see Unshare.
	Values []float64
	// Descriptor is what answers share of the family, Series included. It is nil if they share
	// nothing, and if Values is nil.
	Descriptor *Descriptor
	// Claimed is set if all series have the same claimed labels, see Series.Claimed. It is nil
	// if Values is nil.
	Claimed *LabelText
	// LabelBytes is the length of the labels of all series. It is 0 if Values is nil.
	LabelBytes int
}

// At returns the series at the index with its values and its claimed labels.
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

// Unshare replaces shared series by copies with values of their own.
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

// Series is one series of a family. The name of its samples is the family's name followed by
// the suffix.
type Series struct {
	Suffix Suffix
	// Labels is a label text: see LabelText.
	Labels LabelText
	// Claimed is the text of the identity labels that the agent itself has sent (see
	// IsIdentityName), if they were split off Labels. Otherwise it is nil.
	Claimed *LabelText
	// Info is the interned info of Labels, zero if it was not computed.
	Info InternedLabelInfo
	// Values has one entry for each of the block's Times, Gap where the series has no sample.
	// Read them by Family.ValuesOf: they may be in Family.Values instead.
	Values []float64
}

// AllLabels returns Labels and Claimed as one text.
func (s *Series) AllLabels() LabelText {
	if s.Claimed == nil {
		return s.Labels
	}
	return s.Labels.Join(*s.Claimed)
}

// LabelBytes returns the length of Labels and Claimed.
func (s *Series) LabelBytes() int {
	if s.Claimed == nil {
		return len(s.Labels)
	}
	return len(s.Labels) + len(*s.Claimed)
}

// gapBits is Prometheus' staleness marker, a NaN that no text page can contain.
const gapBits = 0x7ff0000000000002

// Gap stands in Series.Values where there is no sample. It is a NaN: compare by IsGap.
var Gap = math.Float64frombits(gapBits)

// IsGap reports whether v is Gap. Other NaNs are samples.
func IsGap(v float64) bool { return math.Float64bits(v) == gapBits }
