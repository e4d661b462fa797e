package fastframe

import (
	"unsafe"

	"fodc/messages"
	"fodc/messages/wire"
)

// habit is the last frame that was a row. Most frames repeat it with other values, and
// cost no look at their series then: what is kept here lies side by side, in the order of
// the frame.
type habit struct {
	families  []*family // whose last series are those of the row
	stretches []stretch
	labels    []*labels // of each series
	// shared is the families as answers have them in common, nil before the first one that
	// repeats the row, textBytes what their texts take.
	shared    []messages.Family
	textBytes int
}

// stretch is series of a row, one behind the other, that differ in their labels only.
type stretch struct {
	name   string
	family *family
	kind   wire.MetricType
	end    int // the index behind its last series
}

func (h *habit) bytes() int {
	const pointer = int(unsafe.Sizeof(h))
	return pointer*(len(h.families)+len(h.labels)) + int(unsafe.Sizeof(stretch{}))*cap(h.stretches) +
		int(unsafe.Sizeof(messages.Family{}))*len(h.families)
}

// adopt makes the row the habit, if all of its series are kept.
func (d *dictionary) adopt(w *row) {
	d.unlearn()
	if d.bytes >= maxKnownBytes {
		return
	}
	for i, one := range w.runs {
		if len(one.family.last) != len(w.of(i)) {
			return
		}
	}
	h := habit{families: make([]*family, len(w.runs)), labels: make([]*labels, len(w.series))}
	for i, one := range w.runs {
		h.families[i] = one.family
	}
	for i, s := range w.series {
		h.labels[i] = s.labels
		n := len(h.stretches)
		if n == 0 || h.stretches[n-1].family != s.family || h.stretches[n-1].name != s.name {
			h.stretches = append(h.stretches, stretch{name: s.name, family: s.family, kind: s.kind})
			n++
		}
		h.stretches[n-1].end = i + 1
	}
	d.habit = h
	d.bytes += h.bytes()
}

// unlearn lets go of the habit.
func (d *dictionary) unlearn() {
	d.bytes -= d.habit.bytes()
	d.habit = habit{}
}

// read reads b as a sample of the series at the index. stretch is that of the sample
// before.
func (h *habit) read(b []byte, i int, stretch *int) (value float64, at timestamp, ok bool) {
	if i == len(h.labels) {
		return 0, at, false
	}
	if i == h.stretches[*stretch].end {
		*stretch++
	}
	of := &h.stretches[*stretch]
	value, at, ok = form{of.name, h.labels[i], of.family.described, of.kind}.read(b)
	return value, at, ok && !messages.IsGap(value)
}

// ahead is the values of the samples with which a frame begins, as far as they repeat the
// habit and say no time of their own. They are the answer's, or the room for those of the
// next frame if nobody wants it.
type ahead struct {
	values  []float64
	stretch int // of the last sample
}

// readAhead reads samples of a frame ahead. It returns how many bytes they take.
func (d *Decoder) readAhead(b []byte) (read int) {
	a := &d.ahead
	a.values, a.stretch = a.values[:0], 0
	if d.known == nil || len(d.known.habit.labels) == 0 {
		return 0
	}
	h := &d.known.habit
	if a.values == nil {
		a.values = make([]float64, 0, min(len(h.labels), len(b)/bytesOfValue))
	}
	for read < len(b) && uint64(b[read]) == tagMetrics {
		from, end := textBounds(b[read:])
		if end == 0 {
			break
		}
		value, at, ok := h.read(b[read+from:read+end], len(a.values), &a.stretch)
		if !ok || at.there {
			break
		}
		a.values = append(a.values, value)
		read += end
	}
	return read
}

// beginRow begins the row with what was read ahead of the frame. It returns the rest of it.
func (r *reader) beginRow(f Frame) (rest []byte) {
	w := &r.row
	w.repeating = len(r.known.habit.labels) > 0
	if !w.repeating || f.ahead == 0 || f.number != r.opened {
		w.values = make([]float64, 0, min(f.metrics, r.latest))
		return f.bytes
	}
	w.at, w.values, w.stretch = r.at, r.ahead.values, r.ahead.stretch
	// They are the answer's now, which may be asked for twice.
	r.opened++
	r.ahead = ahead{}
	return f.bytes[f.ahead:]
}

// repeats reads a sample of the series that the last row had at this place. It returns
// false if it is none, or the row is none with it.
func (r *reader) repeats(b []byte) bool {
	w := &r.row
	if !w.repeating {
		return false
	}
	value, stamp, ok := r.known.habit.read(b, len(w.values), &w.stretch)
	at, valid := r.timeOf(stamp)
	if !ok || !valid || len(w.values) > 0 && at != w.at {
		r.deviate()
		return false
	}
	w.at, w.values = at, append(w.values, value)
	return true
}

// deviate makes the row one that has its series itself, as the next sample is another
// than the last row had.
func (r *reader) deviate() {
	w := &r.row
	if !w.repeating {
		return
	}
	w.repeating = false
	values := w.values
	w.values = w.values[:0]
	for _, f := range r.known.habit.families {
		for _, s := range f.last {
			n := len(w.values)
			if n == len(values) {
				return
			}
			r.lay(s, values[n], f.help)
			r.last = s
		}
	}
}

// repeated is the block of a row that is the last one with other values.
func (r *reader) repeated() []messages.Block {
	w := &r.row
	r.latest, r.used = len(w.values), len(w.values)
	families, textBytes := r.known.share()
	return []messages.Block{{Times: []int64{w.at}, Families: families, Values: w.values, TextBytes: textBytes}}
}

// share returns the families of the habit as answers have them in common. It lets go of the
// habit if a help was another and there was no room for it.
func (d *dictionary) share() (families []messages.Family, textBytes int) {
	h := &d.habit
	if h.shared != nil {
		return h.shared, h.textBytes
	}
	families = make([]messages.Family, len(h.families))
	kept := true
	for i, f := range h.families {
		m := &families[i]
		m.Name, m.Type, m.Help = f.name, f.kind, f.help
		d.shape(m, f, f.last)
		textBytes += m.TextBytes()
		kept = kept && len(f.last) > 0
	}
	if h.shared, h.textBytes = families, textBytes; !kept {
		d.unlearn()
	}
	return families, textBytes
}
