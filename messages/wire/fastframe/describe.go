package fastframe

import (
	"fodc/messages"
	"fodc/messages/wire"
)

// describe checks what the family that was read says beside its values. ok is false if it
// is broken.
func (r *reader) describe(keep bool) (d described, ok bool) {
	c := &r.columns
	check := r.texts.check
	if keep {
		check = checkText
	}
	name := string(c.name)
	kind, err := wire.CheckFamily(name, c.kind, len(c.texts), len(c.suffixes))
	if err != nil {
		for _, b := range c.texts {
			if _, ok := check(b); !ok {
				return d, false
			}
		}
		return described{columns: len(c.texts), flaws: &flaws{err: err}}, true
	}
	k := columnCheck{name: name, kind: kind, kept: keep, columns: c, series: make([]messages.Series, 0, len(c.texts))}
	help := wire.HelpOf(name, string(c.help), &k.flaws.Rejections)
	for i, b := range c.texts {
		t, ok := check(b)
		if !ok {
			return d, false
		}
		k.add(i, t)
	}
	d = described{columns: len(c.texts), labelBytes: k.labelBytes, shape: messages.NewShape(name, kind, help, k.series)}
	if keep {
		d.shape = sharedShape(d.shape)
	}
	if f := k.flaws; f.Count > 0 || f.Mended > 0 || f.places != nil {
		d.flaws = &f
	}
	return d, true
}

// columnCheck checks the series of a family, column by column.
type columnCheck struct {
	columns *columns
	name    string
	kind    messages.MetricType
	kept    bool

	series     []messages.Series
	labelBytes int
	flaws      flaws
}

// add adds the series of the next column, if it is valid.
func (k *columnCheck) add(column int, t checkedText) {
	s := messages.Series{Labels: t.text}
	ok := true
	if suffixes := k.columns.suffixes; len(suffixes) > 0 {
		s.Suffix, ok = wire.SuffixOf(suffixes[column])
	}
	switch {
	case !ok || !k.kind.Has(s.Suffix):
		k.flaws.Addf(1, "family %.100q: a sample of a %s has suffix %d", k.name, k.kind, k.columns.suffixes[column])
		k.skip(column)
		return
	case t.err != nil:
		k.flaws.Addf(1, "family %.100q: %w", k.name, t.err)
		k.skip(column)
		return
	case t.mended:
		k.flaws.Mended++
	}
	bound := messages.BoundName(k.kind, s.Suffix)
	if s.Known = t.known.labels(bound); k.kept {
		s.Known = messages.KnowLabels(t.text, bound)
		if !s.Known.IsZero() {
			s.Labels = s.Known.Facts().Text // of which there is one copy
		}
	}
	k.series = append(k.series, s)
	k.labelBytes += s.LabelBytes()
	if k.flaws.places != nil {
		k.flaws.places = append(k.flaws.places, int32(column))
	}
}

// skip takes note that the series of the column is invalid.
func (k *columnCheck) skip(column int) {
	if k.flaws.places == nil {
		k.flaws.places = make([]int32, column, len(k.columns.texts))
		for i := range k.flaws.places {
			k.flaws.places[i] = int32(i)
		}
	}
}
