package fastframe

import (
	"errors"

	"fodc/messages"
	"fodc/messages/wire"
)

// ErrRepeated says that a frame of the dictionary has come before.
var ErrRepeated = errors.New("the frame has come before")

// ErrLost says that a frame refers to families by slots of a dictionary that the decoder
// does not have, or does not have whole. Only a new dictionary helps.
var ErrLost = errors.New("the dictionary of the frame is lost")

// described is a family as it was described.
type described struct {
	// shape has the series that are valid; nil if there is no family.
	shape      *messages.Shape
	labelBytes int
	// columns is how many series were described, valid or not.
	columns int
	// answer is the number of the last one that had the family. No answer has it twice: a
	// short frame could stand for a very long page.
	answer uint64
	flaws  *flaws // nil: none
}

// flaws is what is wrong with a family as it was described. It counts each time that the
// family is sent.
type flaws struct {
	wire.Rejections
	// places are the columns of the valid series; nil: all are valid.
	places []int32
	// err says why there is no family.
	err error
}

// slots is the dictionary of families that the agent and the decoder have in common.
type slots struct {
	number   uint64
	families []described // that of slot 1 first
	bytes    int
	lists    lists
	// chunk is the number of the frame that was read last, answers how many there were.
	chunk, answers uint64
}

// has reports whether the frame was read before.
func (s *slots) has(f Frame) bool {
	return f.Dictionary != 0 && f.Dictionary == s.number && f.chunk > 0 && f.chunk <= s.chunk
}

// follow takes note of the frame. It returns false if one before it is missing.
func (s *slots) follow(f Frame) (ok bool) {
	switch {
	case f.Dictionary == 0:
		return true
	case f.Dictionary != s.number, f.chunk != s.chunk+1 && !f.begins:
		return false
	case f.begins:
		s.families, s.bytes, s.lists = nil, 0, lists{}
	}
	s.chunk = f.chunk
	return true
}

// Renew makes the decoder forget the families that were described, and take frames of
// the dictionary of the number.
func (d *Decoder) Renew(number uint64) { d.slots = slots{number: number, answers: 1} }

// describedFamily returns what the family that was read describes, or refers to; nil if
// it is lost. ok is false if it is broken.
func (r *reader) describedFamily() (d *described, ok bool) {
	c, known := &r.columns, &r.slots
	if r.dictionary == 0 || c.slot == 0 {
		d, ok := r.describe(false)
		return &d, ok
	}
	if !r.lost && len(c.name) == 0 && len(c.texts) == 0 && int(c.slot) <= len(known.families) {
		d = &known.families[c.slot-1]
		if r.lost = d.answer == known.answers; r.lost {
			return nil, true
		}
		d.answer = known.answers
		return d, true
	}
	// What belongs to a slot is kept there, and not among the texts.
	described, ok := r.describe(true)
	if !ok || r.lost {
		return nil, ok
	}
	texts := len(c.name) + len(c.help)
	for _, text := range c.texts {
		texts += len(text)
	}
	bytes := wire.DescriptionBytes(len(c.texts), texts)
	if len(c.name) == 0 || int(c.slot) != len(known.families)+1 || known.bytes+bytes > wire.MaxDictionaryBytes {
		r.lost = true
		return nil, true
	}
	described.answer = known.answers
	known.families = append(known.families, described)
	known.bytes += bytes
	return &known.families[len(known.families)-1], true
}

// family returns the family with the values that were read. any is false if nothing of
// it is left.
func (r *reader) family(d *described, times int) (m messages.Family, any bool) {
	values := r.columns.values
	var err error
	if d.flaws != nil {
		err = d.flaws.err
	}
	if err == nil {
		err = wire.CheckValues(d.shape.Name, d.columns, len(values), times)
	}
	if err != nil {
		r.rejectedBlocks.Add(max(1, d.columns), err)
		return m, false
	}
	m.SetShape(d.shape)
	m.Values, m.LabelBytes = values, d.labelBytes
	if d.flaws != nil {
		r.rejectedBlocks.Add(d.flaws.Count, d.flaws.First)
		r.rejectedBlocks.Mended += d.flaws.Mended
		if d.flaws.places != nil {
			m.Values = r.room.take(len(d.flaws.places) * times)
			for _, at := range d.flaws.places {
				m.Values = append(m.Values, values[int(at)*times:(int(at)+1)*times]...)
			}
		}
	}
	return m, len(m.Series) > 0
}

// room is space for the values of an answer, which share what is allocated.
type room struct {
	left []float64
	// taken is how much was taken of it, expected how much may be.
	taken, expected int
}

// take returns an empty slice for n values.
func (r *room) take(n int) []float64 {
	if n > len(r.left) {
		r.left = make([]float64, max(n, r.expected-r.taken))
	}
	part := r.left[:0:n]
	r.left = r.left[n:]
	r.taken += n
	return part
}
