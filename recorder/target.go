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
	// sealed is in the order of recording; head follows it, and is nil before the first
	// row.
	sealed   []*sealed
	head     *head
	meta     metadata
	families families
	// spellings finds the series of a raw text, as long as metadata and target labels
	// stay the same; series finds it by what it is.
	spellings index[string, *series]
	series    index[seriesKey, *series]
	// inOrder are the series of a page by the numbers of its samples, as long as pages
	// have that shape; nil where there is none.
	inOrder []*series
	shape   *shape
	row     *row // nil: nobody has asked for the latest values
	// seriesBytes is what all series take, but for their places in maps.
	seriesBytes int64

	starts startTimes
	// failing is the number of the event of the scrapes that fail now, 0 if none does.
	failing uint64

	// text and parts are scratch.
	text  []byte
	parts []messages.Label
}

func newTarget(t Target) *target {
	return &target{
		name:      t.Name,
		labels:    slices.Clone(t.Labels),
		families:  newFamilies(),
		spellings: newIndex[string, *series](stringBytes + pointerBytes),
		series:    newIndex[seriesKey, *series](seriesKeyBytes + pointerBytes),
	}
}

const targetBytes = 1 << 10

// fixedBytes returns what the target takes beside its samples.
func (t *target) fixedBytes() int64 {
	return targetBytes + t.meta.bytes + t.families.bytes() + t.seriesBytes +
		t.spellings.bytes() + t.series.bytes() + sizeOf(cap(t.sealed)*pointerBytes) +
		sizeOf(cap(t.inOrder)*pointerBytes) + t.sizeOfRow()
}

// newestSealed returns the newest sealed stretch, nil if there is none.
func (t *target) newestSealed() *sealed {
	if len(t.sealed) == 0 {
		return nil
	}
	return t.sealed[len(t.sealed)-1]
}

// forget drops the raw texts of all series: they may mean something else now.
func (t *target) forget() {
	t.forgetOrder()
	t.spellings = newIndex[string, *series](t.spellings.slot)
	for _, s := range t.series.entries {
		t.seriesBytes -= s.spellingBytes()
		s.spellings = nil
	}
}

// order makes room for the series of the page by number, unless they are there. Over
// the limit in bytes there is none.
func (t *target) order(p *Page, limit int64) []*series {
	if t.shape == p.shape && len(t.inOrder) == len(p.samples) {
		return t.inOrder
	}
	t.forgetOrder()
	if sizeOf(len(p.samples)*pointerBytes) <= limit {
		t.inOrder, t.shape = make([]*series, len(p.samples)), p.shape
	}
	return t.inOrder
}

func (t *target) forgetOrder() { t.inOrder, t.shape = nil, nil }

// identify returns what the series of a page's sample is.
func (t *target) identify(raw string, l *Limits) (identity, error) {
	name, labels, err := scanSeries(raw, t.parts[:0])
	if err != nil {
		return identity{}, err
	}
	t.parts = labels
	if err := l.checkLabels(labels); err != nil {
		return identity{}, err
	}
	family, suffix := t.meta.locate(name)
	return t.check(identity{family: family, suffix: suffix}, name)
}

// identifyReading returns what the series of a reading is.
func (t *target) identifyReading(r *Reading) (identity, error) {
	t.parts = append(t.parts[:0], r.Labels...)
	return t.check(identity{family: familyMeta{name: r.Name, kind: r.Type, own: true, help: r.Help}}, r.Name)
}

// check completes the identity by the labels in parts.
func (t *target) check(id identity, name string) (identity, error) {
	err := messages.CheckMetricName(name)
	if err == nil {
		id.labels, err = labelsOf(t.parts, t.labels)
	}
	return id, err
}

// create makes a series of the identity.
func (t *target) create(id identity) *series {
	number := t.families.retain(id.family)
	key := id.key()
	key.name = t.families.all[number].name
	s := newSeries(key, number)
	t.series.set(key, s)
	t.seriesBytes += s.bytes()
	return s
}

// readingText returns the text under which the series of a reading is known. It
// begins with a byte that no text of a page begins with. It is valid until the next
// call.
func (t *target) readingText(r *Reading) []byte {
	word := func(s string) {
		t.text = binary.AppendUvarint(t.text, uint64(len(s)))
		t.text = append(t.text, s...)
	}
	t.text = append(t.text[:0], 0)
	word(r.Name)
	for _, l := range r.Labels {
		word(l.Name)
		word(l.Value)
	}
	return t.text
}

// spell remembers the raw text of a series.
func (t *target) spell(s *series, raw string) {
	if len(s.spellings) == maxSpellings {
		return
	}
	t.seriesBytes -= s.spellingBytes()
	s.spellings = append(s.spellings, raw)
	t.seriesBytes += s.spellingBytes()
	t.spellings.set(raw, s)
}

// remove drops a series that has no use any more.
func (t *target) remove(s *series) {
	t.forgetOrder()
	t.row = nil // It may hold the series.
	t.seriesBytes -= s.bytes()
	t.series.remove(s.seriesKey)
	for _, raw := range s.spellings {
		t.spellings.remove(raw)
	}
	t.families.release(s.family)
}

// compact gives back what maps take that were much larger once.
func (t *target) compact() {
	t.spellings.compact()
	t.series.compact()
	t.families.byName.compact()
}
