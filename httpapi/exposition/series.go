package exposition

import (
	"cmp"
	"slices"

	"fodc/messages"
)

// sample is one value and when it was taken, in unix milliseconds.
type sample struct {
	time  int64
	value float64
}

// series is a series of the page. It is valid until the next one comes.
type series struct {
	group  *group
	node   *node
	suffix messages.Suffix
	// labels is the text of the series' own labels: without those of the identity.
	labels messages.LabelText
	// rest is labels without the bound (le or quantile).
	rest messages.LabelText
	// samples is oldest first, no time twice, never empty.
	samples []sample
}

// entry is a series of one part, with the labels that the page shows.
type entry struct {
	messages.SortKey
	values []float64
	// part is where the series is from, node the part's node as it is shown.
	part *part
	node *node
}

// reader iterates over the series of a page in order. It reuses its memory.
type reader struct {
	// latest, if not nil, asks for one sample a series, the newest. It is called with the
	// normalized parts, for which no series need to be made, and returns false to end
	// the page.
	latest func(*group, *part) bool
	// escaped asks for labels with escaped names.
	escaped   bool
	conflicts *Conflicts
	entries   []entry
	// distinct says that no two entries are equal.
	distinct bool
	samples  []sample
}

// each calls f with each series of the groups, until f returns false.
func (r *reader) each(groups []*group, f func(*series) bool) {
	var s series
	for _, g := range groups {
		s.group = g
		if g.samples != nil && !r.showCollectionMetrics(&s, f) {
			return
		}
		for parts := range g.byNode() {
			s.node = parts[0].node
			if normalized(parts) {
				if !r.showNormalized(&s, &parts[0], f) {
					return
				}
				continue
			}
			r.load(g.kind, parts)
			for rest := r.entries; len(rest) > 0; {
				n := 1
				for !r.distinct && n < len(rest) && rest[0].Compare(&rest[n].SortKey) == 0 {
					n++
				}
				r.join(rest[:n])
				if len(r.samples) > 0 {
					s.node, s.suffix, s.labels, s.rest, s.samples = rest[0].node, rest[0].Suffix, rest[0].Labels, rest[0].Rest, r.samples
					if !f(&s) {
						return
					}
				}
				rest = rest[n:]
			}
		}
	}
}

// load makes sorted entries of the parts of one node. Equal entries are one series, and are in
// the order of the parts.
func (r *reader) load(kind messages.MetricType, parts []part) {
	r.entries = r.entries[:0]
	sorted, distinct := true, true
	for at := range parts {
		p := &parts[at]
		validTimes := p.hasValidTimes()
		for i := range p.family.Series {
			s := p.at(i)
			values := s.Values
			if r.escaped {
				s = escapeSeries(s)
			}
			if !validTimes || !kind.Has(s.Suffix) || len(values) != len(p.block.Times) {
				r.conflicts.Invalid++
				continue
			}
			n := len(r.entries)
			r.entries = append(r.entries, entry{SortKey: messages.SortKey{Suffix: s.Suffix, Labels: s.Labels}, values: values, part: p})
			e := &r.entries[n]
			if !e.label(p.node, &s, messages.BoundName(kind, s.Suffix)) {
				r.entries = r.entries[:n]
				r.conflicts.Invalid++
				continue
			}
			if sorted && n > 0 {
				c := r.entries[n-1].Compare(&e.SortKey)
				sorted, distinct = c <= 0, distinct && c != 0
			}
		}
	}
	if r.distinct = sorted && distinct; !sorted {
		slices.SortStableFunc(r.entries, func(a, b entry) int { return a.Compare(&b.SortKey) })
	}
}

// label sets the node, the texts and the bound of an entry. It returns false if the
// series' labels are not a valid label text. It uses the series' label info if there is one,
// instead of parsing the labels again.
func (e *entry) label(n *node, s *messages.Series, bound string) bool {
	e.node = n
	known := !s.Info.IsZero()
	if !known || s.Claimed != nil && !n.matches(*s.Claimed) {
		all, err := s.AllLabels(), error(nil)
		if e.node, err = n.shownAs(all); err != nil {
			return false
		}
		if e.Labels, err = e.node.withoutIdentity(all); err != nil {
			return false
		}
		known = known && s.Claimed == nil
	}
	if bound == "" {
		e.Rest = e.Labels
		return true
	}
	if known {
		if f := s.Info.Get(); f.BoundName == bound {
			e.Rest, e.Bound = f.Rest, f.Bound
			return true
		}
	}
	var err error
	e.Rest, e.Bound, err = e.Labels.CutBound(bound)
	return err == nil
}

// join sets r.samples to the samples of one series, of which the first of several
// for the same time is kept.
func (r *reader) join(same []entry) {
	r.samples = r.samples[:0]
	if r.latest != nil {
		r.joinNewest(same)
		return
	}
	sorted := true
	for _, e := range same {
		for i, v := range e.values {
			if messages.IsGap(v) {
				continue
			}
			if n := len(r.samples); sorted && n > 0 {
				sorted = r.samples[n-1].time < e.part.block.Times[i]
			}
			r.samples = append(r.samples, sample{e.part.block.Times[i], v})
		}
	}
	if sorted {
		return
	}
	slices.SortStableFunc(r.samples, func(a, b sample) int { return cmp.Compare(a.time, b.time) })
	all := len(r.samples)
	r.samples = slices.CompactFunc(r.samples, func(a, b sample) bool { return a.time == b.time })
	r.conflicts.Duplicate += all - len(r.samples)
}

// joinNewest takes the newest sample of the first entry that has one. The other
// entries are duplicates whatever their time: taking the newest of all would make
// a value jump between two targets from page to page.
func (r *reader) joinNewest(same []entry) {
	for at := range same {
		e := &same[at]
		switch i := newestOf(e.values); {
		case i < 0:
		case len(r.samples) > 0:
			r.conflicts.Duplicate++
		default:
			r.samples = append(r.samples, sample{e.part.block.Times[i], e.values[i]})
		}
	}
}
