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
	// segments are in the order in which they were recorded; the last is the head.
	segments []*segment
	meta     metadata
	families families
	// spellings finds the series of a raw text, as long as metadata and target labels
	// stay the same; series finds it by what it is.
	spellings map[string]*series
	series    map[seriesKey]*series

	// text and parts are scratch.
	text  []byte
	parts []messages.Label
}

func newTarget(t Target) *target {
	return &target{
		name:      t.Name,
		labels:    slices.Clone(t.Labels),
		families:  families{byName: make(map[string]int)},
		spellings: make(map[string]*series),
		series:    make(map[seriesKey]*series),
	}
}

// head returns the newest segment, nil before the first row.
func (t *target) head() *segment {
	if len(t.segments) == 0 {
		return nil
	}
	return t.segments[len(t.segments)-1]
}

// forget drops the raw texts of all series: they may mean something else now. It
// returns the bytes that they took.
func (t *target) forget() (bytes int64) {
	for raw := range t.spellings {
		bytes += int64(len(raw))
	}
	clear(t.spellings)
	for _, s := range t.series {
		s.spellings = nil
	}
	return bytes
}

// identify returns what the series of a page's sample is.
func (t *target) identify(raw string) (identity, error) {
	name, labels, err := scanSeries(raw, t.parts[:0])
	if err != nil {
		return identity{}, err
	}
	t.parts = labels
	family, suffix := t.meta.locate(name)
	return t.check(identity{family: family, suffix: suffix}, name)
}

// identifyReading returns what the series of a reading is.
func (t *target) identifyReading(r *Reading) (identity, error) {
	t.parts = append(t.parts[:0], r.Labels...)
	return t.check(identity{family: familyMeta{r.Name, r.Type, r.Help}}, r.Name)
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
	t.series[key] = s
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

// spell remembers the raw text of a series, and returns by how many bytes it grew.
func (t *target) spell(s *series, raw string) int64 {
	if len(s.spellings) == maxSpellings {
		return 0
	}
	s.spellings = append(s.spellings, raw)
	t.spellings[raw] = s
	return int64(len(raw))
}

// remove drops a series that no segment has any more.
func (t *target) remove(s *series) {
	delete(t.series, s.seriesKey)
	for _, raw := range s.spellings {
		delete(t.spellings, raw)
	}
	t.families.release(s.family)
}
