package fastframe

import (
	"unicode/utf8"

	"fodc/messages"
	"fodc/messages/wire"
)

// sample reads a baseline sample into the table. It returns false if it is broken.
func (r *reader) sample(b []byte) (ok bool) {
	if r.repeats(b) || r.expected(b) {
		return true
	}
	m := &r.metric
	if !m.read(b) {
		return false
	}
	hash := r.known.hash(m)
	s := r.find(m, hash)
	if s == nil {
		if !r.normalize(m) {
			return false
		}
		hash = r.known.hash(m)
		s = r.find(m, hash)
	}
	if s != nil && string(m.help) != s.family.help && !utf8.Valid(m.help) {
		return false
	}
	at, s := r.check(m, s, hash)
	switch {
	case s == nil:
	case string(m.help) == s.family.help:
		r.take(s, at, m.value, s.family.help)
	default:
		r.take(s, at, m.value, string(m.help))
	}
	return true
}

// expected reads a sample of the series that is likely to come next: the one that
// followed in the frame before, or, in a window, the same again. It returns false if it
// is none of these.
func (r *reader) expected(b []byte) bool {
	likely, other := r.first, r.last
	if r.last != nil {
		likely = r.last.follower
	}
	if r.again {
		likely, other = other, likely
	}
	for _, s := range [...]*series{likely, other} {
		if s == nil {
			continue
		}
		value, stamp, ok := s.form().read(b)
		if !ok {
			continue
		}
		at, ok := r.timeOf(stamp)
		if !ok {
			return false
		}
		r.take(s, at, value, s.family.help)
		return true
	}
	return false
}

// timeOf returns the sample's time in unix milliseconds; ok is false if it is none.
func (r *reader) timeOf(t timestamp) (at int64, ok bool) {
	if !t.there {
		return r.at, true
	}
	stamp := t.frame()
	return wire.UnixMilli(stamp), stamp.IsValid()
}

// check returns the metric's time and series, nil if it is invalid: it is counted then.
// One that is not known is learned.
func (r *reader) check(m *metric, s *series, hash uint64) (at int64, _ *series) {
	kind, ok := wire.TypeOf(m.kind)
	if s == nil {
		if err := messages.CheckMetricName(string(m.name)); err != nil {
			r.rejected.Add(1, err)
			return 0, nil
		}
		if !ok {
			r.rejected.Addf(1, "metric %.100q: type %d is none", m.name, m.kind)
			return 0, nil
		}
	}
	if at, ok = r.timeOf(m.time); !ok {
		r.rejected.Addf(1, "metric %.100q: a timestamp of %d s and %d ns is no time", m.name, m.time.seconds, m.time.nanos)
		return 0, nil
	}
	if s == nil {
		var err error
		if s, err = r.learn(m, kind, hash); err != nil {
			r.rejected.Addf(1, "metric %.100q: %w", m.name, err)
		}
	}
	return at, s
}

// take takes a sample of the series, with its description.
func (r *reader) take(s *series, at int64, value float64, help string) {
	r.again = s == r.last
	switch {
	case s.passing || r.again:
	case r.last == nil:
		r.first = s
	default:
		r.last.follower = s
	}
	r.last = s
	if messages.IsGap(value) {
		return // It says that there is no sample.
	}
	if r.fits(s, at) {
		r.lay(s, value, help)
		return
	}
	if !r.row.off {
		r.spill()
	}
	t := &r.table
	if s.frame != r.frame {
		r.enter(s, help)
	}
	t.Samples = append(t.Samples, wire.Sample{Series: s.index, Time: at, Value: value})
}

// enter appends a series to the table, which it does not have.
func (r *reader) enter(s *series, help string) {
	t, f := &r.table, s.family
	if f.frame != r.frame {
		f.frame, f.index = r.frame, len(t.Families)
		t.Families = append(t.Families, messages.Family{Name: f.name, Type: f.kind, Help: r.help(f, help)})
	}
	s.frame, s.index = r.frame, len(t.Series)
	t.Series = append(t.Series, s.row(f.index))
	if !s.passing {
		r.used++
	}
}

// help returns the family's help in this frame: what its first sample has said.
func (r *reader) help(f *family, said string) string {
	if said != f.help && len(said) <= messages.MaxHelpBytes {
		r.known.bytes += len(said) - len(f.help)
		f.describe(said)
		r.known.habit.shared = nil // Its families may have this help.
	}
	return wire.HelpOf(f.name, said, &r.rejected)
}

func (r *reader) find(m *metric, hash uint64) *series {
	if s := r.known.find(m, hash); s != nil || r.spare == nil {
		return s
	}
	return r.spare.find(m, hash)
}
