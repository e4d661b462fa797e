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

// described is a family as it was described. What is wrong with it counts each time
// that it is sent.
type described struct {
	// family has the series that are valid, without values.
	family messages.Family
	// columns is how many series were described, valid or not.
	columns int
	// places are the columns of the valid series; nil: all are valid.
	places []int32
	// kept says that the description is in the dictionary: answers share its series.
	kept  bool
	flaws wire.Rejections
	// answer is the number of the last one that had the family. No answer has it twice: a
	// short frame could stand for a very long page.
	answer uint64
	// err says why there is no family.
	err error
}

// slots is the dictionary of families that the agent and the decoder have in common.
type slots struct {
	number   uint64
	families []*described // that of slot 1 first
	bytes    int
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
		s.families, s.bytes = nil, 0
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
		return r.describe(false)
	}
	if !r.lost && len(c.name) == 0 && len(c.texts) == 0 && int(c.slot) <= len(known.families) {
		d = known.families[c.slot-1]
		if r.lost = d.answer == known.answers; r.lost {
			return nil, true
		}
		d.answer = known.answers
		return d, true
	}
	// What belongs to a slot is kept there, and not among the texts.
	if d, ok = r.describe(true); !ok || r.lost {
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
	d.answer = known.answers
	known.families = append(known.families, d)
	known.bytes += bytes
	return d, true
}

// describe checks what the family that was read says beside its values. ok is false if it
// is broken.
func (r *reader) describe(keep bool) (_ *described, ok bool) {
	c := &r.columns
	d := &described{columns: len(c.texts), kept: keep}
	check := r.texts.check
	if keep {
		check = checkText
	}
	f := &d.family
	f.Name = string(c.name)
	if f.Type, d.err = wire.CheckFamily(f.Name, c.kind, len(c.texts), len(c.suffixes)); d.err == nil {
		f.Help = wire.HelpOf(f.Name, string(c.help), &d.flaws)
		f.Series = make([]messages.Series, 0, len(c.texts))
	}
	for i, b := range c.texts {
		t, ok := check(b)
		if !ok {
			return nil, false
		}
		if d.err == nil {
			r.addSeries(d, i, t)
		}
	}
	if keep && d.err == nil {
		f.SetShape(messages.ShapeOf(f))
	}
	return d, true
}

// addSeries adds the series of the next column to what is described, if it is valid.
func (r *reader) addSeries(d *described, column int, t checkedText) {
	c, f := &r.columns, &d.family
	s := messages.Series{Labels: t.text}
	ok := true
	if len(c.suffixes) > 0 {
		s.Suffix, ok = wire.SuffixOf(c.suffixes[column])
	}
	switch {
	case !ok || !wire.CanHave(f.Type, s.Suffix):
		d.flaws.Addf(1, "family %.100q: a sample of a %s has suffix %d", f.Name, f.Type, c.suffixes[column])
		d.skip(column)
		return
	case t.err != nil:
		d.flaws.Addf(1, "family %.100q: %w", f.Name, t.err)
		d.skip(column)
		return
	case t.mended:
		d.flaws.Mended++
	}
	bound := messages.BoundName(f.Type, s.Suffix)
	if s.Known = t.known.labels(bound); d.kept {
		s.Known = messages.KnowLabels(t.text, bound)
		if !s.Known.IsZero() {
			s.Labels = s.Known.Facts().Text // of which there is one copy
		}
	}
	f.Series = append(f.Series, s)
	f.LabelBytes += s.LabelBytes()
	if d.places != nil {
		d.places = append(d.places, int32(column))
	}
}

// skip takes note that the series of the column is invalid.
func (d *described) skip(column int) {
	if d.places == nil {
		d.places = make([]int32, column, d.columns)
		for i := range d.places {
			d.places[i] = int32(i)
		}
	}
}

// family returns the family with the values that were read. any is false if nothing of
// it is left.
func (r *reader) family(d *described, times int) (m messages.Family, any bool) {
	values := r.columns.values
	err := d.err
	if err == nil {
		err = wire.CheckValues(d.family.Name, d.columns, len(values), times)
	}
	if err != nil {
		r.rejectedBlocks.Add(max(1, d.columns), err)
		return messages.Family{}, false
	}
	r.rejectedBlocks.Add(d.flaws.Count, d.flaws.First)
	r.rejectedBlocks.Mended += d.flaws.Mended
	m = d.family
	m.Values = values
	if d.places != nil {
		m.Values = r.room.take(len(d.places) * times)
		for _, at := range d.places {
			m.Values = append(m.Values, values[int(at)*times:(int(at)+1)*times]...)
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
