package promstore

import (
	"fodc/messages"

	"github.com/prometheus/prometheus/model/labels"
)

// joiner finds the series of a node that are the same although they come from several blocks or
// families, or with other texts of their labels.
type joiner struct {
	a      *assembler
	byText map[joinKey]int
	// byLabels is nil as long as different texts are different labels.
	byLabels map[string]int
	joined   []joined
	bytes    []byte
}

// joinKey is a series as its block has it.
type joinKey struct {
	name            string
	labels, claimed messages.LabelText
}

type joined struct {
	labels labels.Labels
	parts  []part
}

// leftOut is the index of series that do not match, or are invalid.
const leftOut = -1

func (j *joiner) begin(a *assembler, g *group) {
	j.a, j.joined, j.byLabels = a, j.joined[:0], nil
	if j.byText == nil {
		j.byText = make(map[joinKey]int)
	}
	clear(j.byText)
	for i := range g.parts {
		f := g.parts[i].family
		for k := range f.Series {
			if s := &f.Series[k]; f.Claimed != nil || s.Claimed != nil || s.Labels.MayClaim() {
				j.byLabels = make(map[string]int)
				return
			}
		}
	}
}

// add adds the series of one block's family.
func (j *joiner) add(p *familyPart) {
	for i := range p.family.Series {
		s := &p.family.Series[i]
		values := p.valuesOf(i)
		if s.Suffix > messages.SuffixCount || !p.family.Type.Has(s.Suffix) || len(values) != len(p.times) {
			j.a.invalid++
			continue
		}
		if !p.names.matches[s.Suffix] {
			continue
		}
		if of, ok := newPart(p.column, values); ok {
			if at := j.indexOf(p.names.names[s.Suffix], p.family, s); at != leftOut {
				j.joined[at].parts = append(j.joined[at].parts, of)
			}
		}
	}
}

func (j *joiner) indexOf(name string, f *messages.Family, s *messages.Series) int {
	k := joinKey{name: name, labels: s.Labels}
	claimed := s.Claimed
	if claimed == nil {
		claimed = f.Claimed
	}
	if claimed != nil && !j.a.node.labels.labels.Repeats(*claimed) {
		k.claimed = *claimed
	}
	at, known := j.byText[k]
	if !known {
		at = j.newIndex(k)
		j.byText[k] = at
	}
	return at
}

func (j *joiner) newIndex(k joinKey) int {
	l, ok := j.a.labelsOf(k.name, k.labels.Join(k.claimed))
	if !ok {
		return leftOut
	}
	if j.byLabels != nil {
		j.bytes = l.Bytes(j.bytes)
		if at, known := j.byLabels[string(j.bytes)]; known {
			return at
		}
		j.byLabels[string(j.bytes)] = len(j.joined)
	}
	j.joined = append(j.joined, joined{labels: l})
	return len(j.joined) - 1
}

// end adds the series to those that are ready.
func (j *joiner) end() {
	for _, s := range j.joined {
		j.a.add(s.labels, s.parts)
	}
	clear(j.joined)
}
