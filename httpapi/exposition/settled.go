package exposition

import "fodc/messages"

// isSettled reports whether a page can show the series of the part as they are, if the
// node has no other part of the family, which is of the type that the part says.
func (p *part) isSettled() bool {
	f := p.family
	return f.Descriptor != nil && f.Descriptor.Normalized && len(p.values) == len(f.Series)*len(p.block.Times) && p.timely() &&
		(f.Claimed == nil || p.node.agrees(*f.Claimed))
}

// settled reports whether the parts of a node are one that can be shown by its shape. Its
// bounds, and with them the order, are those of the page: settleType has left no other.
func settled(parts []part) bool { return len(parts) == 1 && parts[0].shape != nil }

// showSettled is what each does with a settled part: it calls f with each series, until f
// returns false.
func (r *reader) showSettled(s *series, p *part, f func(*series) bool) bool {
	if r.latest != nil {
		return r.latest(s.group, p)
	}
	bounds := isCompound(s.group.kind)
	times := p.block.Times
	rows := len(times)
	for i := range p.shape.Series {
		of := &p.shape.Series[i]
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
