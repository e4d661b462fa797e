package promstore

import (
	"fodc/messages"

	"github.com/prometheus/prometheus/model/labels"
)

// merger finds the series of a node that are the same although they come from several blocks or
// families, or with other texts of their labels.
type merger struct {
	a      *assembler
	byText map[seriesKey]int
	// byLabels is nil as long as different texts are different labels.
	byLabels map[string]int
	merged   []merged
	bytes    []byte
}

// seriesKey is a series as its block has it.
type seriesKey struct {
	name            string
	labels, claimed messages.LabelText
}

type merged struct {
	labels labels.Labels
	chunks []chunk
}

// maxReusedKeys bounds the map that is used again: to clear a large one for each family takes long.
const maxReusedKeys = 1024

// noSeries is the index of series that do not match, or are invalid.
const noSeries = -1

func (m *merger) begin(a *assembler, g *group) {
	m.a, m.merged, m.byLabels = a, m.merged[:0], nil
	if len(m.byText) > maxReusedKeys {
		m.byText = nil
	}
	if clear(m.byText); m.byText == nil {
		m.byText = make(map[seriesKey]int)
	}
	for i := range g.blocks {
		f := g.blocks[i].family
		for k := range f.Series {
			if s := &f.Series[k]; f.Claimed != nil || s.Claimed != nil || s.Labels.MayClaim() {
				m.byLabels = make(map[string]int)
				return
			}
		}
	}
}

// add adds the series of one block's family.
func (m *merger) add(b *familyBlock) {
	for i := range b.family.Series {
		s := &b.family.Series[i]
		values := b.valuesOf(i)
		if s.Suffix > messages.SuffixCount || !b.family.Type.Has(s.Suffix) || len(values) != len(b.times) {
			m.a.invalid++
			continue
		}
		if !b.names.matches[s.Suffix] {
			continue
		}
		if c, ok := newChunk(b.timeRange, values); ok {
			if at := m.indexOf(b.names.names[s.Suffix], b.family, s); at != noSeries {
				m.merged[at].chunks = append(m.merged[at].chunks, c)
			}
		}
	}
}

func (m *merger) indexOf(name string, f *messages.Family, s *messages.Series) int {
	k := seriesKey{name: name, labels: s.Labels}
	claimed := s.Claimed
	if claimed == nil {
		claimed = f.Claimed
	}
	if claimed != nil && !m.a.node.labels.labels.Repeats(*claimed) {
		k.claimed = *claimed
	}
	at, known := m.byText[k]
	if !known {
		at = m.newIndex(k)
		m.byText[k] = at
	}
	return at
}

func (m *merger) newIndex(k seriesKey) int {
	l, ok := m.a.labelsOf(k.name, k.labels.Join(k.claimed))
	if !ok {
		return noSeries
	}
	if m.byLabels != nil {
		m.bytes = l.Bytes(m.bytes)
		if at, known := m.byLabels[string(m.bytes)]; known {
			return at
		}
		m.byLabels[string(m.bytes)] = len(m.merged)
	}
	m.merged = append(m.merged, merged{labels: l})
	return len(m.merged) - 1
}

// end adds the series to those that are ready.
func (m *merger) end() {
	for _, s := range m.merged {
		m.a.add(s.labels, s.chunks)
	}
	clear(m.merged)
}
