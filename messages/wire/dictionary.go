package wire

import "fodc/messages"

// MaxDictionaryBytes bounds the definitions of a dictionary, in bytes as DefinitionBytes counts
// them. Both sides of a stream must agree on it, so it must never change.
const MaxDictionaryBytes = 4 << 20

// What a definition counts for beside its texts, in bytes.
const (
	definedFamilyBytes = 192
	definedSeriesBytes = 128
)

// DefinitionBytes returns what a family counts for in a dictionary. texts is the length of its
// name, help and label texts.
func DefinitionBytes(series, texts int) int {
	return definedFamilyBytes + series*definedSeriesBytes + texts
}

// recentAnswers is for how many answers a full dictionary keeps a definition that none of them
// needs.
const recentAnswers = 16

// DictionaryEncoder makes the frames of one metrics stream's columnar answers. It defines each
// family once, and refers to the definition by its slot from then on. Its frames must be sent
// in the order in which they are made.
type DictionaryEncoder struct {
	number  uint64
	without bool   // whether the answer uses no dictionary
	chunk   uint64 // the number of the newest frame with a dictionary
	begins  bool   // whether the next frame is the dictionary's first
	bytes   int
	full    bool // whether a definition did not fit
	slots   uint32
	answers uint64
	known   map[familyPlace]*definition
	nth     map[string]int // how many families of a name the answer has so far
}

// familyPlace is the key of a family in an answer. Several targets may have families of one
// name: they are told apart by their order.
type familyPlace struct {
	name string
	nth  int
}

type definition struct {
	slot   uint32
	bytes  int
	answer uint64 // the last one that had the family
	kind   messages.MetricType
	help   string
	series []definedSeries
	// shared is the first of the series if they are shared and never change, else nil.
	shared *messages.Series
}

type definedSeries struct {
	suffix messages.Suffix
	labels messages.LabelText
}

// Begin begins an answer that uses the dictionary of the number, or no dictionary if that is 0.
// A new dictionary begins when the number changes, and when the old one is full, mostly with
// families that are not sent any more.
func (d *DictionaryEncoder) Begin(number uint64) {
	d.without = number == 0
	if d.without {
		return
	}
	d.answers++
	clear(d.nth)
	if number != d.number || d.isStale() {
		*d = DictionaryEncoder{number: number, chunk: d.chunk, begins: true, answers: d.answers,
			known: map[familyPlace]*definition{}, nth: map[string]int{}}
	}
}

func (d *DictionaryEncoder) isStale() bool {
	if !d.full {
		return false
	}
	recent := 0
	for _, known := range d.known {
		if d.answers-known.answer <= recentAnswers {
			recent += known.bytes
		}
	}
	return 2*recent < d.bytes
}

// Frame is AnswerFrame with the dictionary of the answer that was begun last.
func (d *DictionaryEncoder) Frame(a Answer) *StreamMetricsRequest {
	if d.without {
		return AnswerFrame(a)
	}
	f := answerFrame(a, d.family)
	d.chunk++
	f.Dictionary, f.DictionaryChunk, f.DictionaryBegins = d.number, d.chunk, d.begins
	d.begins = false
	return f
}

// family encodes a family: by its slot if it was defined before, else whole.
func (d *DictionaryEncoder) family(m *messages.Family, times int) *Family {
	at := familyPlace{m.Name, d.nth[m.Name]}
	d.nth[m.Name]++
	known := d.known[at]
	if known != nil {
		known.answer = d.answers
		if known.matches(m) {
			f := &Family{Slot: known.slot}
			f.addValues(m, times)
			return f
		}
	}
	f := toFamily(m, times)
	if known = d.define(m, f); known != nil {
		d.known[at] = known
	}
	return f
}

// define gives the family's frame a slot and returns the definition, nil if the dictionary is
// full.
func (d *DictionaryEncoder) define(m *messages.Family, f *Family) *definition {
	texts := len(f.Name) + len(f.Help)
	for _, text := range f.LabelTexts {
		texts += len(text)
	}
	bytes := DefinitionBytes(len(f.LabelTexts), texts)
	if d.bytes+bytes > MaxDictionaryBytes {
		d.full = true
		return nil
	}
	d.bytes += bytes
	d.slots++
	f.Slot = d.slots
	known := &definition{slot: f.Slot, bytes: bytes, answer: d.answers, kind: m.Type, help: m.Help, series: make([]definedSeries, len(m.Series))}
	for i := range m.Series {
		known.series[i] = definedSeries{m.Series[i].Suffix, m.Series[i].Labels}
	}
	if m.Values != nil {
		known.shared = &m.Series[0]
	}
	return known
}

// matches reports whether the definition is that of the family.
func (k *definition) matches(m *messages.Family) bool {
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
