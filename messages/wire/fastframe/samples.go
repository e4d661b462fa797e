package fastframe

import (
	"unicode/utf8"

	"fodc/messages"
	"fodc/messages/wire"
)

// sample reads a baseline sample into the table. It returns false if it is broken.
func (r *reader) sample(b []byte) (ok bool) {
	m := &r.metric
	if !m.read(b) {
		return false
	}
	s := r.expected(m)
	var hash uint64
	if s == nil {
		hash = r.known.hash(m)
		s = r.find(m, hash)
	}
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
	if s == nil {
		return true
	}
	r.follow(s)
	if !messages.IsGap(m.value) { // which says that there is no sample
		r.put(s, m, at)
	}
	return true
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
	at = r.at
	if m.time.there {
		stamp := m.time.frame()
		if !stamp.IsValid() {
			r.rejected.Addf(1, "metric %.100q: a timestamp of %d s and %d ns is no time", m.name, m.time.seconds, m.time.nanos)
			return 0, nil
		}
		at = wire.UnixMilli(stamp)
	}
	if s == nil {
		var err error
		if s, err = r.learn(m, kind, hash); err != nil {
			r.rejected.Addf(1, "metric %.100q: %w", m.name, err)
		}
	}
	return at, s
}

// expected returns the series that is likely to come next, if it has: the one that
// followed in the frame before, or, in a window, the same again.
func (r *reader) expected(m *metric) *series {
	next := r.first
	if r.last != nil {
		next = r.last.follower
	}
	likely, other := next, r.last
	if r.again {
		likely, other = other, likely
	}
	switch {
	case likely != nil && likely.is(m):
		return likely
	case other != nil && other.is(m):
		return other
	}
	return nil
}

// follow takes note of the series that has come.
func (r *reader) follow(s *series) {
	r.again = s == r.last
	switch {
	case s.passing || r.again:
	case r.last == nil:
		r.first = s
	default:
		r.last.follower = s
	}
	r.last = s
}

func (r *reader) find(m *metric, hash uint64) *series {
	if s := r.known.find(m, hash); s != nil || r.spare == nil {
		return s
	}
	return r.spare.find(m, hash)
}

// put appends a sample to the table.
func (r *reader) put(s *series, m *metric, at int64) {
	t, f := &r.table, s.family
	if s.frame != r.frame {
		if f.frame != r.frame {
			f.frame, f.index = r.frame, len(t.Families)
			t.Families = append(t.Families, messages.Family{Name: f.name, Type: f.kind, Help: r.help(f, m)})
		}
		s.frame, s.index = r.frame, len(t.Series)
		t.Series = append(t.Series, wire.TableSeries{Family: f.index, Suffix: s.suffix, Labels: s.text})
		if !s.passing {
			r.used++
		}
	}
	t.Samples = append(t.Samples, wire.Sample{Series: s.index, Time: at, Value: m.value})
}

// help returns the family's help in this frame: that of its first sample.
func (r *reader) help(f *family, m *metric) string {
	if string(m.help) == f.help {
		return f.help
	}
	help := string(m.help)
	if len(help) <= messages.MaxHelpBytes {
		r.known.bytes += len(help) - len(f.help)
		f.help = help
	}
	return wire.HelpOf(f.name, help, &r.rejected)
}
