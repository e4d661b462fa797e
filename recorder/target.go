package recorder

import (
	"encoding/binary"
	"slices"

	"fodc/messages"
)

// target is what the window holds of one target.
type target struct {
	name   string
	labels []messages.Label
	// honorLabels: where a sample has a label of labels, that of the sample stays.
	honorLabels bool
	// chunks are in the order of recording; the head is newer than all of them, and nil
	// before the first scrape.
	chunks   []*chunk
	head     *head
	meta     metadata
	families familyTable
	// cache is the scrape cache: it maps the raw text of a series on a page to the series. It
	// is emptied when metadata or target labels change. series maps identities to series.
	cache  sizedMap[string, *series]
	series sizedMap[SeriesKey, *series]
	// byPosition has the series of each sample of a page that has the template, by its
	// position on the page: then no text is looked up. It is nil where there is none.
	byPosition []*series
	template   *template
	vector     *vector // of the newest scrape; nil until somebody asks for the latest values
	// listed is the list of the newest batch. It is empty if the newest scrape has none.
	listed listed
	// seriesBytes is the size of all series without their map entries.
	seriesBytes int64

	starts startTimes
	// failureEvent is the number of the event that counts the scrapes that fail at present, 0
	// if the newest scrape did not fail.
	failureEvent uint64

	// keyBuf and labelBuf are reused.
	keyBuf   []byte
	labelBuf []messages.Label
}

func newTarget(name string) *target {
	return &target{
		name:     name,
		families: newFamilyTable(),
		cache:    newSizedMap[string, *series](stringBytes + pointerBytes),
		series:   newSizedMap[SeriesKey, *series](seriesKeyBytes + pointerBytes),
	}
}

const targetBytes = 1 << 10

// fixedBytes returns the size of the target without head and chunks.
func (t *target) fixedBytes() int64 {
	return targetBytes + t.meta.bytes + t.families.bytes() + t.seriesBytes +
		t.cache.bytes() + t.series.bytes() + sizeOf(cap(t.chunks)*pointerBytes) +
		sizeOf(cap(t.byPosition)*pointerBytes) + t.vectorBytes() + t.listed.bytes()
}

// newestChunk returns the newest chunk, nil if there is none.
func (t *target) newestChunk() *chunk {
	if len(t.chunks) == 0 {
		return nil
	}
	return t.chunks[len(t.chunks)-1]
}

// resetCache empties the scrape cache: the raw texts may mean other series now.
func (t *target) resetCache() {
	t.resetPositions()
	t.cache = newSizedMap[string, *series](t.cache.slotBytes)
	for _, s := range t.series.entries {
		t.seriesBytes -= s.rawTextBytes()
		s.rawTexts = nil
	}
}

// positions returns the series of the page by position, nil for those not known yet. It
// returns nil if that takes more than the limit in bytes.
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

// identify returns the identity of the raw series text of a page.
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

// identifySample returns the identity of a sample of the agent.
func (t *target) identifySample(r *Sample) (identity, error) {
	t.labelBuf = append(t.labelBuf[:0], r.Labels...)
	return t.complete(identity{family: Family{Name: r.Name, Type: r.Type, FromAgent: true, Help: r.Help}, suffix: r.Suffix}, r.Name)
}

// complete adds the labels in labelBuf to the identity, and checks it.
func (t *target) complete(id identity, name string) (identity, error) {
	err := messages.CheckMetricName(name)
	if err == nil {
		id.labels, err = labelsOf(t.labelBuf, t.stamped())
	}
	return id, err
}

// stamped returns the target's labels for the sample whose labels are in labelBuf. As in Prometheus, an honored label may be
// without a value: then the sample has none of that name.
func (t *target) stamped() []messages.Label {
	if !t.honorLabels {
		return t.labels
	}
	return slices.DeleteFunc(slices.Clone(t.labels), func(l messages.Label) bool {
		return slices.ContainsFunc(t.labelBuf, func(own messages.Label) bool { return own.Name == l.Name })
	})
}

// addSeries adds a series of the identity.
func (t *target) addSeries(id identity) *series {
	number := t.families.retain(id.family)
	key := id.key()
	key.Name = t.families.all[number].Name
	s := newSeries(key, number)
	t.series.set(key, s)
	t.seriesBytes += s.bytes()
	return s
}

// sampleKey returns the key in the scrape cache of a sample of the agent. It begins with a
// NUL, as no text of a page does. It is valid until the next call.
func (t *target) sampleKey(r *Sample) []byte {
	field := func(s string) {
		t.keyBuf = binary.AppendUvarint(t.keyBuf, uint64(len(s)))
		t.keyBuf = append(t.keyBuf, s...)
	}
	t.keyBuf = append(t.keyBuf[:0], 0, byte(r.Suffix))
	field(r.Name)
	for _, l := range r.Labels {
		field(l.Name)
		field(l.Value)
	}
	return t.keyBuf
}

// cacheText adds the raw text of a series to the scrape cache, unless the series has
// maxRawTexts already.
func (t *target) cacheText(s *series, raw string) {
	if len(s.rawTexts) == maxRawTexts {
		return
	}
	t.seriesBytes -= s.rawTextBytes()
	s.rawTexts = append(s.rawTexts, raw)
	t.seriesBytes += s.rawTextBytes()
	t.cache.set(raw, s)
}

// removeSeries drops a series that no chunk and no head refers to.
func (t *target) removeSeries(s *series) {
	t.resetPositions()
	t.vector = nil // It may hold the series.
	t.seriesBytes -= s.bytes()
	t.series.remove(s.SeriesKey)
	for _, raw := range s.rawTexts {
		t.cache.remove(raw)
	}
	t.families.release(s.family)
}

// compact frees memory of maps that were much larger once.
func (t *target) compact() {
	t.cache.compact()
	t.series.compact()
	t.families.byName.compact()
}
