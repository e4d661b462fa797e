package recorder

import "slices"

// batchBuilder collects what one scrape records for its Batch. It compares series by series
// with the batch before, so that a scrape with the same series makes no new list.
type batchBuilder struct {
	// before are the series of the batch before.
	before []*series
	// series are those of the scrape, nil while they are the first ones of before.
	series []*series
	values []float64
}

// put adds a sample.
func (b *batchBuilder) put(s *series, v float64) {
	i := len(b.values)
	b.values = append(b.values, v)
	if b.series == nil {
		if i < len(b.before) && b.before[i] == s {
			return
		}
		b.series = make([]*series, i, max(i+1, len(b.before)))
		copy(b.series, b.before)
	}
	b.series = append(b.series, s)
}

// listed is the list of a target's newest batch.
type listed struct {
	list *SeriesList
	// series are those of the list's keys.
	series []*series
	// version is that of the family table when the list was made.
	version int64
}

const (
	seriesListHeadBytes = 72
	familyIndexBytes    = 4
)

// bytes is the size of the list. Its texts are those of the series and families.
func (l *listed) bytes() int64 {
	if l.list == nil {
		return 0
	}
	return sizeOf(seriesListHeadBytes) + sizeOf(cap(l.list.Keys)*seriesKeyBytes) + sizeOf(cap(l.list.FamilyOf)*familyIndexBytes) +
		sizeOf(cap(l.list.Families)*familyBytes) + sizeOf(cap(l.series)*pointerBytes)
}

// newBatch returns a builder for the target's next scrape, which has at most so many samples.
func (t *target) newBatch(samples int) *batchBuilder {
	b := &batchBuilder{before: t.listed.series}
	if n := len(b.before); n > 0 {
		samples = min(samples, n)
	}
	b.values = make([]float64, 0, samples)
	return b
}

// list returns the list of the batch's series: that of the batch before unless series or
// families have changed.
func (t *target) list(b *batchBuilder) *SeriesList {
	series, l := b.series, &t.listed
	if series == nil {
		series = b.before
		if n := len(b.values); n < len(series) {
			series = slices.Clone(series[:n])
		}
	}
	same := b.series == nil && len(series) == len(b.before)
	if l.list == nil || !same || l.version != t.families.version {
		*l = listed{list: t.families.list(series), series: series, version: t.families.version}
	}
	return l.list
}
