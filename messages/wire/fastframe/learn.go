package fastframe

import (
	"slices"
	"strings"
	"unicode/utf8"

	"fodc/messages"
	"fodc/messages/wire"

	"google.golang.org/protobuf/encoding/protowire"
)

// normalize checks the metric's texts, and sets its labels as Go writes them: each key
// once, the last word of several. It returns false if the metric is broken.
func (r *reader) normalize(m *metric) (ok bool) {
	if !utf8.Valid(m.name) || !utf8.Valid(m.help) {
		return false
	}
	r.labels = r.labels[:0]
	for _, entry := range m.labels {
		var l messages.Label
		ok := each(entry, func(f field) bool {
			switch f.tag {
			case tagKey:
				l.Name = string(f.bytes)
				return utf8.Valid(f.bytes)
			case tagLabelValue:
				l.Value = string(f.bytes)
				return utf8.Valid(f.bytes)
			}
			return true
		})
		if !ok {
			return false
		}
		r.labels = append(r.labels, l)
	}
	r.encode(m) // In this order, which is likely to come again.
	slices.SortStableFunc(r.labels, func(a, b messages.Label) int { return strings.Compare(a.Name, b.Name) })
	kept := r.labels[:0]
	for i, l := range r.labels {
		if i+1 < len(r.labels) && r.labels[i+1].Name == l.Name {
			continue
		}
		kept = append(kept, l)
	}
	if r.labels = kept; len(kept) < len(m.labels) {
		r.encode(m)
	}
	return true
}

// encode sets the metric's labels to what r.labels has, as Go writes it.
func (r *reader) encode(m *metric) {
	m.labels = m.labels[:0]
	for _, l := range r.labels {
		entry := protowire.AppendTag(nil, protowire.Number(tagKey>>typeBits), protowire.BytesType)
		entry = protowire.AppendString(entry, l.Name)
		entry = protowire.AppendTag(entry, protowire.Number(tagLabelValue>>typeBits), protowire.BytesType)
		m.labels = append(m.labels, protowire.AppendString(entry, l.Value))
	}
}

// learn returns the series of a metric that was normalized, or why there is none.
func (r *reader) learn(m *metric, kind messages.MetricType, hash uint64) (*series, error) {
	text := messages.RenderLabels(r.labels)
	if err := messages.CheckLabelText(text); err != nil {
		if s := r.mend(m, kind, text); s != nil {
			return s, nil
		}
		return nil, err
	}
	return r.keep(m, kind, text, hash), nil
}

// mend returns the series with its labels' names made valid, nil if that is not what
// was wrong with the text. It is known by its valid labels, and mended in each frame.
func (r *reader) mend(m *metric, kind messages.MetricType, invalid messages.LabelText) *series {
	if messages.MendLabels(r.labels) == 0 {
		return nil
	}
	text := messages.RenderLabels(r.labels)
	if messages.CheckLabelText(text) != nil {
		return nil
	}
	if _, counted := r.mended[invalid]; !counted {
		if r.mended == nil {
			r.mended = map[messages.LabelText]struct{}{}
		}
		r.mended[invalid] = struct{}{}
		r.rejected.Mended++
	}
	r.encode(m)
	hash := r.known.hash(m)
	if s := r.find(m, hash); s != nil {
		return s
	}
	return r.keep(m, kind, text, hash)
}

// keep adds the series of a metric whose labels are those of the text.
func (r *reader) keep(m *metric, kind messages.MetricType, text messages.LabelText, hash uint64) *series {
	s := &series{kind: m.kind}
	quantile := slices.ContainsFunc(r.labels, func(l messages.Label) bool { return l.Name == "quantile" })
	key := familyKey{kind: kind}
	key.name, s.suffix = wire.SplitName(string(m.name), kind, quantile)
	shelf := r.known
	if shelf.bytes >= maxKnownBytes {
		shelf, s.passing = r.passing(), true
	}
	if s.family = r.known.families[key]; s.family == nil {
		s.family = shelf.familyOf(key)
	}
	if s.labels = r.known.labels[text]; s.labels == nil {
		s.labels = shelf.labelsOf(text, m.labels)
	}
	s.name = shelf.nameOf(m.name)
	shelf.add(s, hash)
	return s
}

// passing is the dictionary of what is forgotten with the frame.
func (r *reader) passing() *dictionary {
	if r.spare == nil {
		r.spare = newDictionary(r.known.seed)
	}
	return r.spare
}
