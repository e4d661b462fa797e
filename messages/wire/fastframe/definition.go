package fastframe

import (
	"errors"

	"fodc/messages"
	"fodc/messages/wire"
)

// ErrRepeated says that a frame with definitions has been read before.
var ErrRepeated = errors.New("the frame has come before")

// ErrLost says that a frame refers to definitions which the decoder has not read. Only a new
// dictionary helps.
var ErrLost = errors.New("the dictionary of the frame is lost")

// definition is a family as an agent has defined it, once for all answers that follow.
type definition struct {
	// descriptor has the valid series. It is nil if the family is invalid.
	descriptor *messages.Descriptor
	labelBytes int
	// columns is the number of series that were defined, valid or not.
	columns int
	// answer is the number of the last answer that had the family. No answer may have it
	// twice: otherwise a short frame could stand for a very long page.
	answer  uint64
	rejects *rejects // nil if all is valid
}

// rejects is what is wrong with a definition. It counts in every answer that has the family.
type rejects struct {
	wire.Rejections
	// valid are the columns of the valid series, nil if all are valid.
	valid []int32
	// err is set if the whole family is invalid.
	err error
}

// definitionTable is the decoder's copy of the dictionary that the agent has built.
type definitionTable struct {
	// number is that of the dictionary. Frames of other dictionaries are lost.
	number uint64
	// families are the definitions. Slot 1 is the first of them.
	families  []definition
	bytes     int
	templates blockTemplates
	// chunk is the number of the frame that was read last, answers the number of answers.
	chunk, answers uint64
}

// hasRead reports whether the frame was read before.
func (t *definitionTable) hasRead(f Frame) bool {
	return f.Dictionary != 0 && f.Dictionary == t.number && f.chunk > 0 && f.chunk <= t.chunk
}

// advance moves on to the frame. It returns false if a frame before it is missing.
func (t *definitionTable) advance(f Frame) (ok bool) {
	switch {
	case f.Dictionary == 0:
		return true
	case f.Dictionary != t.number, f.chunk != t.chunk+1 && !f.begins:
		return false
	case f.begins:
		t.families, t.bytes, t.templates = nil, 0, blockTemplates{}
	}
	t.chunk = f.chunk
	return true
}

// Renew drops all definitions. From now on frames of the dictionary with the number are read.
func (d *Decoder) Renew(number uint64) { d.definitions = definitionTable{number: number, answers: 1} }

// definitionOf returns the definition that the family just read contains or refers to, nil if
// it is lost. ok is false if the frame is broken.
func (r *reader) definitionOf() (d *definition, ok bool) {
	c, table := &r.columns, &r.definitions
	if r.dictionary == 0 || c.slot == 0 {
		d, ok := r.define(false)
		return &d, ok
	}
	if !r.lost && len(c.name) == 0 && len(c.texts) == 0 && int(c.slot) <= len(table.families) {
		d = &table.families[c.slot-1]
		if r.lost = d.answer == table.answers; r.lost {
			return nil, true
		}
		d.answer = table.answers
		return d, true
	}
	// The table keeps the texts of its definitions, so they need not be in the text cache.
	defined, ok := r.define(true)
	if !ok || r.lost {
		return nil, ok
	}
	texts := len(c.name) + len(c.help)
	for _, text := range c.texts {
		texts += len(text)
	}
	bytes := wire.DefinitionBytes(len(c.texts), texts)
	if len(c.name) == 0 || int(c.slot) != len(table.families)+1 || table.bytes+bytes > wire.MaxDictionaryBytes {
		r.lost = true
		return nil, true
	}
	defined.answer = table.answers
	table.families = append(table.families, defined)
	table.bytes += bytes
	return &table.families[len(table.families)-1], true
}

// family returns the defined family with the values that were read. any is false if none of
// its series is valid.
func (r *reader) family(d *definition, times int) (m messages.Family, any bool) {
	values := r.columns.values
	var err error
	if d.rejects != nil {
		err = d.rejects.err
	}
	if err == nil {
		err = wire.CheckValues(d.descriptor.Name, d.columns, len(values), times)
	}
	if err != nil {
		r.rejectedBlocks.Add(max(1, d.columns), err)
		return m, false
	}
	m.SetDescriptor(d.descriptor)
	m.Values, m.LabelBytes = values, d.labelBytes
	if d.rejects != nil {
		r.rejectedBlocks.Add(d.rejects.Count, d.rejects.First)
		r.rejectedBlocks.Sanitized += d.rejects.Sanitized
		if d.rejects.valid != nil {
			m.Values = r.valueBuffer.alloc(len(d.rejects.valid) * times)
			for _, at := range d.rejects.valid {
				m.Values = append(m.Values, values[int(at)*times:(int(at)+1)*times]...)
			}
		}
	}
	return m, len(m.Series) > 0
}

// valueBuffer allocates the values of an answer in few large pieces.
type valueBuffer struct {
	left []float64
	// allocated is the number of values given out, expected an estimate of the total.
	allocated, expected int
}

// alloc returns an empty slice for n values.
func (b *valueBuffer) alloc(n int) []float64 {
	if n > len(b.left) {
		b.left = make([]float64, max(n, b.expected-b.allocated))
	}
	part := b.left[:0:n]
	b.left = b.left[n:]
	b.allocated += n
	return part
}
