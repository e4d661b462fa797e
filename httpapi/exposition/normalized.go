package exposition

import "fodc/messages"

// isNormalized reports whether a page can show the series of the part as they are. It assumes
// that the node has no other part of the family, and that the family has the part's type.
func (p *part) isNormalized() bool {
	f := p.family
	return f.Descriptor != nil && f.Descriptor.Normalized && len(p.values) == len(f.Series)*len(p.block.Times) && p.hasValidTimes() &&
		(f.Claimed == nil || p.node.matches(*f.Claimed))
}

// normalized reports whether a node's parts of a family are one that is normalized. Its type,
// and with it the order of its series, is that of the page, as resolveType has left no other.
func normalized(parts []part) bool { return len(parts) == 1 && parts[0].descriptor != nil }

// showNormalized is each for a normalized part: it calls f with each series, until f returns
// false.
func (r *reader) showNormalized(s *series, p *part, f func(*series) bool) bool {
	if r.latest != nil {
		return r.latest(s.group, p)
	}
	bounds := isCompound(s.group.kind)
	times := p.block.Times
	rows := len(times)
	for i := range p.descriptor.Series {
		of := &p.descriptor.Series[i]
		s.suffix, s.labels, s.rest = of.Suffix, of.Labels, of.Labels
		if bounds && messages.BoundName(s.group.kind, of.Suffix) != "" {
			s.rest = of.Info.Get().Rest
		}
		r.samples = r.samples[:0]
		for j, v := range p.values[i*rows : (i+1)*rows] {
			if !messages.IsGap(v) {
				r.samples = append(r.samples, sample{times[j], v})
			}
		}
		if s.samples = r.samples; len(s.samples) > 0 && !f(s) {
			return false
		}
	}
	return true
}

// newestOf returns the index of the last sample of a column, -1 if it has none.
func newestOf(values []float64) int {
	i := len(values) - 1
	for i >= 0 && messages.IsGap(values[i]) {
		i--
	}
	return i
}
