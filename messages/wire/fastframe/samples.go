package fastframe

import (
	"unicode/utf8"

	"fodc/messages"
	"fodc/messages/wire"
)

// sample reads a baseline sample into the vector or the table. It returns false if the frame
// is broken.
func (r *reader) sample(b []byte) (ok bool) {
	if r.matchTemplate(b) || r.readExpected(b) {
		return true
	}
	m := &r.metric
	if !m.read(b) {
		return false
	}
	m.dropEmpty()
	hash := r.cache.hash(m)
	s := r.find(m, hash)
	if s == nil {
		if !r.normalize(m) {
			return false
		}
		hash = r.cache.hash(m)
		s = r.find(m, hash)
	}
	if s != nil && string(m.help) != s.family.help && !utf8.Valid(m.help) {
		return false
	}
	at, s := r.check(m, s, hash)
	switch {
	case s == nil:
	case string(m.help) == s.family.help:
		r.record(s, at, m.value, s.family.help)
	default:
		r.record(s, at, m.value, string(m.help))
	}
	return true
}

// readExpected reads a sample of the series that is likely to come next: the one that followed
// in the frame before, or, in a window, the same series again. It returns false if the sample
// is of neither.
func (r *reader) readExpected(b []byte) bool {
	likely, other := r.first, r.last
	if r.last != nil {
		likely = r.last.next
	}
	if r.repeated {
		likely, other = other, likely
	}
	for _, s := range [...]*series{likely, other} {
		if s == nil {
			continue
		}
		value, stamp, ok := s.encoded().readSample(b)
		if !ok {
			continue
		}
		at, ok := r.timeOf(stamp)
		if !ok {
			return false
		}
		r.record(s, at, value, s.family.help)
		return true
	}
	return false
}

// timeOf returns the sample's time in unix milliseconds. ok is false if it is invalid.
func (r *reader) timeOf(t timestamp) (at int64, ok bool) {
	if !t.there {
		return r.at, true
	}
	stamp := t.frame()
	return wire.UnixMilli(stamp), stamp.IsValid()
}

// check returns the metric's time and series. It adds the series if s is nil. An invalid
// metric is counted as rejected, and has no series.
func (r *reader) check(m *metric, s *series, hash uint64) (at int64, _ *series) {
	kind, ok := wire.TypeOf(m.kind)
	if s == nil {
		if err := messages.CheckMetricName(string(m.name)); err != nil {
			r.rejected.Add(1, err)
			return 0, nil
		}
		if !ok {
			r.rejected.Addf(1, "metric %.100q: unknown type %d", m.name, m.kind)
			return 0, nil
		}
	}
	if at, ok = r.timeOf(m.time); !ok {
		r.rejected.Addf(1, "metric %.100q: invalid timestamp of %d s and %d ns", m.name, m.time.seconds, m.time.nanos)
		return 0, nil
	}
	if s == nil {
		var err error
		if s, err = r.addSeries(m, kind, hash); err != nil {
			r.rejected.Addf(1, "metric %.100q: %w", m.name, err)
		}
	}
	return at, s
}

// record records a sample of the series. help is what the sample says.
func (r *reader) record(s *series, at int64, value float64, help string) {
	r.repeated = s == r.last
	switch {
	case s.uncached || r.repeated:
	case r.last == nil:
		r.first = s
	default:
		r.last.next = s
	}
	r.last = s
	if messages.IsGap(value) {
		return
	}
	if r.fitsVector(s, at) {
		r.appendToVector(s, value, help)
		return
	}
	if !r.vector.spilled {
		r.spillToTable()
	}
	t := &r.table
	if s.frame != r.frameNumber {
		r.addToTable(s, help)
	}
	t.Samples = append(t.Samples, wire.Sample{Series: s.index, Time: at, Value: value})
}

// addToTable appends a series that the table does not have yet.
func (r *reader) addToTable(s *series, help string) {
	t, f := &r.table, s.family
	if f.frame != r.frameNumber {
		f.frame, f.index = r.frameNumber, len(t.Families)
		t.Families = append(t.Families, messages.Family{Name: f.name, Type: f.kind, Help: r.helpOf(f, help)})
	}
	s.frame, s.index = r.frameNumber, len(t.Series)
	t.Series = append(t.Series, s.tableSeries(f.index))
	if !s.uncached {
		r.used++
	}
}

// helpOf returns the family's help in this frame, which is that of its first sample.
func (r *reader) helpOf(f *family, help string) string {
	if help != f.help && len(help) <= messages.MaxHelpBytes {
		r.cache.bytes += len(help) - len(f.help)
		f.setHelp(help)
		r.cache.template.answerFamilies = nil // They may have the former help.
	}
	return wire.HelpOf(f.name, help, &r.rejected)
}

func (r *reader) find(m *metric, hash uint64) *series {
	if s := r.cache.find(m, hash); s != nil || r.overflow == nil {
		return s
	}
	return r.overflow.find(m, hash)
}
