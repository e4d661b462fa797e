package fastframe

import (
	"fodc/messages"
	"fodc/messages/wire"
)

// define checks the family that was read, all but its values. keep says that it becomes an
// entry of the definition table. ok is false if the frame is broken.
func (r *reader) define(keep bool) (d definition, ok bool) {
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
		return definition{columns: len(c.texts), rejects: &rejects{err: err}}, true
	}
	k := columnCheck{name: name, kind: kind, keep: keep, columns: c, series: make([]messages.Series, 0, len(c.texts))}
	help := wire.HelpOf(name, string(c.help), &k.rejects.Rejections)
	for i, b := range c.texts {
		t, ok := check(b)
		if !ok {
			return d, false
		}
		k.add(i, t)
	}
	d = definition{columns: len(c.texts), labelBytes: k.labelBytes, descriptor: messages.NewDescriptor(name, kind, help, k.series)}
	if d.descriptor.Own = !keep; keep {
		d.descriptor = internDescriptor(d.descriptor)
	}
	if r := k.rejects; r.Count > 0 || r.Sanitized > 0 || r.valid != nil {
		d.rejects = &r
	}
	return d, true
}

// columnCheck checks the series of a family, one column after the other.
type columnCheck struct {
	columns *columns
	name    string
	kind    messages.MetricType
	keep    bool // see define

	series     []messages.Series
	labelBytes int
	rejects    rejects
}

// add adds the series of the next column if it is valid.
func (k *columnCheck) add(column int, t checkedText) {
	s := messages.Series{Labels: t.text}
	ok := true
	if suffixes := k.columns.suffixes; len(suffixes) > 0 {
		s.Suffix, ok = wire.SuffixOf(suffixes[column])
	}
	switch {
	case !ok || !k.kind.Has(s.Suffix):
		k.rejects.Addf(1, "family %.100q: a sample of a %s has suffix %d", k.name, k.kind, k.columns.suffixes[column])
		k.skip(column)
		return
	case t.err != nil:
		k.rejects.Addf(1, "family %.100q: %w", k.name, t.err)
		k.skip(column)
		return
	case t.sanitized:
		k.rejects.Sanitized++
	}
	bound := messages.BoundName(k.kind, s.Suffix)
	if s.Info = t.cached.infoFor(bound); k.keep {
		s.Info = messages.InternLabelInfo(t.text, bound)
		if !s.Info.IsZero() {
			s.Labels = s.Info.Get().Text // the interned copy
		}
	}
	k.series = append(k.series, s)
	k.labelBytes += s.LabelBytes()
	if k.rejects.valid != nil {
		k.rejects.valid = append(k.rejects.valid, int32(column))
	}
}

// skip records that the series of the column is invalid.
func (k *columnCheck) skip(column int) {
	if k.rejects.valid == nil {
		k.rejects.valid = make([]int32, column, len(k.columns.texts))
		for i := range k.rejects.valid {
			k.rejects.valid[i] = int32(i)
		}
	}
}
