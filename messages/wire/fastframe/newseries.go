package fastframe

import (
	"slices"
	"strings"
	"unicode/utf8"

	"fodc/messages"
	"fodc/messages/wire"

	"google.golang.org/protobuf/encoding/protowire"
)

// normalize checks the metric's texts and re-encodes its labels as Go does. Of several values
// of a key the last one counts, and a label with an empty value is left out. It returns false
// if the metric is broken.
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
	r.encode(m) // Keep the order: it is likely to come again.
	slices.SortStableFunc(r.labels, func(a, b messages.Label) int { return strings.Compare(a.Name, b.Name) })
	kept := r.labels[:0]
	for i, l := range r.labels {
		if l.Value == "" || i+1 < len(r.labels) && r.labels[i+1].Name == l.Name {
			continue
		}
		kept = append(kept, l)
	}
	if r.labels = kept; len(kept) < len(m.labels) {
		r.encode(m)
	}
	return true
}

// encode sets the metric's labels to r.labels, encoded as Go does it.
func (r *reader) encode(m *metric) {
	m.labels = m.labels[:0]
	for _, l := range r.labels {
		entry := protowire.AppendTag(nil, protowire.Number(tagKey>>typeBits), protowire.BytesType)
		entry = protowire.AppendString(entry, l.Name)
		entry = protowire.AppendTag(entry, protowire.Number(tagLabelValue>>typeBits), protowire.BytesType)
		m.labels = append(m.labels, protowire.AppendString(entry, l.Value))
	}
}

// addSeries adds the series of a normalized metric to the cache. The error says why its labels
// are invalid.
func (r *reader) addSeries(m *metric, kind messages.MetricType, hash uint64) (*series, error) {
	text := messages.RenderLabels(r.labels)
	if err := messages.CheckLabelText(text); err != nil {
		if s := r.addSanitized(m, kind, text); s != nil {
			return s, nil
		}
		return nil, err
	}
	return r.addValid(m, kind, text, hash), nil
}

// addSanitized adds the series with its label names made valid. It returns nil if the text is
// invalid for another reason. The cache has the series under its valid labels, so a sample with
// the invalid names comes here in each frame.
func (r *reader) addSanitized(m *metric, kind messages.MetricType, invalid messages.LabelText) *series {
	if messages.SanitizeLabels(r.labels) == 0 {
		return nil
	}
	text := messages.RenderLabels(r.labels)
	if messages.CheckLabelText(text) != nil {
		return nil
	}
	if _, counted := r.sanitized[invalid]; !counted {
		if r.sanitized == nil {
			r.sanitized = map[messages.LabelText]struct{}{}
		}
		r.sanitized[invalid] = struct{}{}
		r.rejected.Sanitized++
	}
	r.encode(m)
	hash := r.cache.hash(m)
	if s := r.find(m, hash); s != nil {
		return s
	}
	return r.addValid(m, kind, text, hash)
}

// addValid adds the series of a metric whose labels are those of the text.
func (r *reader) addValid(m *metric, kind messages.MetricType, text messages.LabelText, hash uint64) *series {
	s := &series{kind: m.kind}
	quantile := slices.ContainsFunc(r.labels, func(l messages.Label) bool { return l.Name == "quantile" })
	key := familyKey{kind: kind}
	key.name, s.suffix = wire.SplitName(string(m.name), kind, quantile)
	to := r.cache
	if to.bytes >= maxCacheBytes {
		to, s.uncached = r.overflowCache(), true
	}
	if s.family = r.cache.families[key]; s.family == nil {
		s.family = to.familyOf(key)
	}
	if s.labels = r.cache.labels[text]; s.labels == nil {
		s.labels = to.labelsOf(text, m.labels)
	}
	s.name = to.nameField(m.name)
	to.add(s, hash)
	return s
}

// overflowCache returns the cache of the series that are dropped after the frame.
func (r *reader) overflowCache() *seriesCache {
	if r.overflow == nil {
		r.overflow = newSeriesCache(r.cache.seed)
	}
	return r.overflow
}
