package recorder

import (
	"encoding/binary"
	"slices"

	"fodc/messages"
)

// target is all that the window has of one target.
type target struct {
	name   string
	labels []messages.Label
	// chunks is in the order of recording; head follows it, and is nil before the first
	// row.
	chunks   []*chunk
	head     *head
	meta     metadata
	families familyTable
	// cache finds the series of a raw text, as long as metadata and target labels
	// stay the same; series finds it by what it is.
	cache  sizedMap[string, *series]
	series sizedMap[seriesKey, *series]
	// byPosition are the series of a page by the numbers of its samples, as long as pages
	// have that shape; nil where there is none.
	byPosition []*series
	template   *template
	vector     *vector // nil: nobody has asked for the latest values
	// seriesBytes is what all series take, but for their places in maps.
	seriesBytes int64

	starts startTimes
	// failureEvent is the number of the event of the scrapes that fail now, 0 if none does.
	failureEvent uint64

	// keyBuf and parts are scratch.
	keyBuf   []byte
	labelBuf []messages.Label
}

func newTarget(t Target) *target {
	return &target{
		name:     t.Name,
		labels:   slices.Clone(t.Labels),
		families: newFamilyTable(),
		cache:    newSizedMap[string, *series](stringBytes + pointerBytes),
		series:   newSizedMap[seriesKey, *series](seriesKeyBytes + pointerBytes),
	}
}

const targetBytes = 1 << 10

// fixedBytes returns what the target takes beside its samples.
func (t *target) fixedBytes() int64 {
	return targetBytes + t.meta.bytes + t.families.bytes() + t.seriesBytes +
		t.cache.bytes() + t.series.bytes() + sizeOf(cap(t.chunks)*pointerBytes) +
		sizeOf(cap(t.byPosition)*pointerBytes) + t.vectorBytes()
}

// newestChunk returns the newest sealed stretch, nil if there is none.
func (t *target) newestChunk() *chunk {
	if len(t.chunks) == 0 {
		return nil
	}
	return t.chunks[len(t.chunks)-1]
}

// resetCache drops the raw texts of all series: they may mean something else now.
func (t *target) resetCache() {
	t.resetPositions()
	t.cache = newSizedMap[string, *series](t.cache.slotBytes)
	for _, s := range t.series.entries {
		t.seriesBytes -= s.rawTextBytes()
		s.rawTexts = nil
	}
}

// positions makes room for the series of the page by number, unless they are there. Over
// the limit in bytes there is none.
func (t *target) positions(p *Page, limit int64) []*series {
	if t.template == p.template && len(t.byPosition) == len(p.samples) {
		return t.byPosition
	}
	t.resetPositions()
	if sizeOf(len(p.samples)*pointerBytes) <= limit {
		t.byPosition, t.template = make([]*series, len(p.samples)), p.template
	}
	return t.byPosition
}

func (t *target) resetPositions() { t.byPosition, t.template = nil, nil }

// identify returns what the series of a page's sample is.
func (t *target) identify(raw string, l *Limits) (identity, error) {
	name, labels, err := scanSeries(raw, t.labelBuf[:0])
	if err != nil {
		return identity{}, err
	}
	t.labelBuf = labels
	if err := l.checkLabels(labels); err != nil {
		return identity{}, err
	}
	family, suffix := t.meta.familyOf(name)
	return t.complete(identity{family: family, suffix: suffix}, name)
}

// identifySample returns what the series of a reading is.
func (t *target) identifySample(r *Sample) (identity, error) {
	t.labelBuf = append(t.labelBuf[:0], r.Labels...)
	return t.complete(identity{family: familyMeta{name: r.Name, kind: r.Type, fromAgent: true, help: r.Help}}, r.Name)
}

// complete completes the identity by the labels in parts.
func (t *target) complete(id identity, name string) (identity, error) {
	err := messages.CheckMetricName(name)
	if err == nil {
		id.labels, err = labelsOf(t.labelBuf, t.labels)
	}
	return id, err
}

// addSeries makes a series of the identity.
func (t *target) addSeries(id identity) *series {
	number := t.families.retain(id.family)
	key := id.key()
	key.name = t.families.all[number].name
	s := newSeries(key, number)
	t.series.set(key, s)
	t.seriesBytes += s.bytes()
	return s
}

// sampleKey returns the text under which the series of a reading is known. It
// begins with a byte that no text of a page begins with. It is valid until the next
// call.
func (t *target) sampleKey(r *Sample) []byte {
	word := func(s string) {
		t.keyBuf = binary.AppendUvarint(t.keyBuf, uint64(len(s)))
		t.keyBuf = append(t.keyBuf, s...)
	}
	t.keyBuf = append(t.keyBuf[:0], 0)
	word(r.Name)
	for _, l := range r.Labels {
		word(l.Name)
		word(l.Value)
	}
	return t.keyBuf
}

// cacheText remembers the raw text of a series.
func (t *target) cacheText(s *series, raw string) {
	if len(s.rawTexts) == maxRawTexts {
		return
	}
	t.seriesBytes -= s.rawTextBytes()
	s.rawTexts = append(s.rawTexts, raw)
	t.seriesBytes += s.rawTextBytes()
	t.cache.set(raw, s)
}

// removeSeries drops a series that has no use any more.
func (t *target) removeSeries(s *series) {
	t.resetPositions()
	t.vector = nil // It may hold the series.
	t.seriesBytes -= s.bytes()
	t.series.remove(s.seriesKey)
	for _, raw := range s.rawTexts {
		t.cache.remove(raw)
	}
	t.families.release(s.family)
}

// compact gives back what maps take that were much larger once.
func (t *target) compact() {
	t.cache.compact()
	t.series.compact()
	t.families.byName.compact()
}
