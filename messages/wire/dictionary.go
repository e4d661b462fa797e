package wire

import "fodc/messages"

// MaxDictionaryBytes bounds what the descriptions of a dictionary take, as
// DescriptionBytes counts it. Both sides of a stream must agree on it: it never changes.
const MaxDictionaryBytes = 4 << 20

// What a description counts for beside its texts.
const (
	describedFamilyBytes = 192
	describedSeriesBytes = 128
)

// DescriptionBytes is what a family counts for in a dictionary, whose name, help and
// label texts take so many bytes in its frame.
func DescriptionBytes(series, texts int) int {
	return describedFamilyBytes + series*describedSeriesBytes + texts
}

// freshAnswers is how many answers a description is worth keeping that none of them
// needs, once the dictionary is full.
const freshAnswers = 16

// Describer makes the frames of one metrics stream's columnar answers, such that each
// family is described once: it keeps the other side's dictionary. Its frames must go out
// in the order in which they are made.
type Describer struct {
	number  uint64
	without bool   // the answer does without
	chunk   uint64 // the number of the newest frame with a dictionary
	begins  bool   // the next frame is the dictionary's first
	bytes   int
	full    bool // a description did not fit
	slots   uint32
	answers uint64
	known   map[place]*description
	nth     map[string]int // how many families of a name the answer has so far
}

// place tells families of one name apart, as several targets may have it: by their order
// in the answer.
type place struct {
	name string
	nth  int
}

type description struct {
	slot   uint32
	bytes  int
	answer uint64 // the last one that had the family
	kind   messages.MetricType
	help   string
	series []describedSeries
	// shared is the first of the series, if they are never changed: see messages.Family.
	shared *messages.Series
}

type describedSeries struct {
	suffix messages.Suffix
	labels messages.LabelText
}

// Begin begins an answer in the dictionary of the number, or one that does without if
// that is 0. The dictionary begins anew with another number, and if it is full of what is
// not sent any more.
func (d *Describer) Begin(number uint64) {
	d.without = number == 0
	if d.without {
		return
	}
	d.answers++
	clear(d.nth)
	if number != d.number || d.isStale() {
		*d = Describer{number: number, chunk: d.chunk, begins: true, answers: d.answers,
			known: map[place]*description{}, nth: map[string]int{}}
	}
}

func (d *Describer) isStale() bool {
	if !d.full {
		return false
	}
	fresh := 0
	for _, known := range d.known {
		if d.answers-known.answer <= freshAnswers {
			fresh += known.bytes
		}
	}
	return 2*fresh < d.bytes
}

// Frame is AnswerFrame, with the families described in the dictionary of the answer that
// was begun last.
func (d *Describer) Frame(a Answer) *StreamMetricsRequest {
	if d.without {
		return AnswerFrame(a)
	}
	f := answerFrame(a, d.family)
	d.chunk++
	f.Dictionary, f.DictionaryChunk, f.DictionaryBegins = d.number, d.chunk, d.begins
	d.begins = false
	return f
}

// family returns the family by its slot, if it has been described.
func (d *Describer) family(m *messages.Family, times int) *Family {
	at := place{m.Name, d.nth[m.Name]}
	d.nth[m.Name]++
	known := d.known[at]
	if known != nil {
		known.answer = d.answers
		if known.is(m) {
			f := &Family{Slot: known.slot}
			f.addValues(m, times)
			return f
		}
	}
	f := toFamily(m, times)
	if known = d.describe(m, f); known != nil {
		d.known[at] = known
	}
	return f
}

// describe gives the family's frame a slot, and returns what is described there, nil if
// there is no room for it.
func (d *Describer) describe(m *messages.Family, f *Family) *description {
	texts := len(f.Name) + len(f.Help)
	for _, text := range f.LabelTexts {
		texts += len(text)
	}
	bytes := DescriptionBytes(len(f.LabelTexts), texts)
	if d.bytes+bytes > MaxDictionaryBytes {
		d.full = true
		return nil
	}
	d.bytes += bytes
	d.slots++
	f.Slot = d.slots
	known := &description{slot: f.Slot, bytes: bytes, answer: d.answers, kind: m.Type, help: m.Help, series: make([]describedSeries, len(m.Series))}
	for i := range m.Series {
		known.series[i] = describedSeries{m.Series[i].Suffix, m.Series[i].Labels}
	}
	if m.Values != nil {
		known.shared = &m.Series[0]
	}
	return known
}

// is reports whether the description is that of the family.
func (k *description) is(m *messages.Family) bool {
	if k.kind != m.Type || len(k.series) != len(m.Series) || k.help != m.Help {
		return false
	}
	if m.Values != nil && k.shared == &m.Series[0] {
		return true
	}
	for i := range m.Series {
		if s := &m.Series[i]; k.series[i].suffix != s.Suffix || k.series[i].labels != s.Labels {
			return false
		}
	}
	return true
}
