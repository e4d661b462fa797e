package export

import (
	"cmp"
	"slices"
	"strings"

	"fodc/messages"
)

// class is families whose names and types depend on each other in OpenMetrics, such as x,
// x_total and x_count: a counter x_total is called x, unless there is another family of the name.
type class struct {
	base     string
	families []*family
	// flat says that each name of samples becomes a family of its own, of the type unknown: since
	// the families contradict each other, or are too large to be in memory together.
	flat bool
}

// dependentSuffixes end names that depend on the name without it.
var dependentSuffixes = []string{"_total", "_created", "_bucket", "_sum", "_count"}

// baseOf returns the name without all suffixes. Names with different bases are independent.
func baseOf(name string) string {
	for again := true; again; {
		again = false
		for _, suffix := range dependentSuffixes {
			if short, ok := strings.CutSuffix(name, suffix); ok && short != "" {
				name, again = short, true
			}
		}
	}
	return name
}

// classes returns the families with selected series, by class, sorted by name.
func (s *survey) classes() []*class {
	byBase := make(map[string]*class)
	var all []*class
	for _, f := range s.families {
		if f.cells() == 0 {
			continue
		}
		base := baseOf(f.name)
		c := byBase[base]
		if c == nil {
			c = &class{base: base}
			byBase[base] = c
			all = append(all, c)
		}
		c.families = append(c.families, f)
	}
	slices.SortFunc(all, func(a, b *class) int { return cmp.Compare(a.base, b.base) })
	for _, c := range all {
		slices.SortFunc(c.families, func(a, b *family) int { return cmp.Compare(a.name, b.name) })
		c.flat = c.contradicts()
	}
	return all
}

func (f *family) cells() (n int64) {
	for _, s := range f.series {
		if s != nil {
			n += s.cells
		}
	}
	return n
}

func (c *class) cells() (n int64) {
	for _, f := range c.families {
		n += f.cells()
	}
	return n
}

// contradicts reports whether a page would have to leave out samples of the class: of a family with
// several types, with samples that its type does not have, or with names that another one uses.
func (c *class) contradicts() bool {
	for _, f := range c.families {
		kind, ok := f.kind()
		if !ok {
			return true
		}
		for s := messages.SuffixNone; s <= messages.SuffixCount; s++ {
			if f.suffixes&(1<<s) != 0 && !kind.Has(s) {
				return true
			}
			taken := func(other *family) bool { return other.name == f.name+s.String() }
			if s != messages.SuffixNone && kind.Has(s) && slices.ContainsFunc(c.families, taken) {
				return true
			}
		}
	}
	return false
}

// kind returns the type of a family. It is not ok if there are several, or if a histogram or summary
// was without a type for a time.
func (f *family) kind() (messages.MetricType, bool) {
	kind := messages.TypeUnknown
	for t := messages.TypeGauge; t <= messages.TypeUntyped; t++ {
		if f.types&(1<<t) == 0 {
			continue
		}
		if kind != messages.TypeUnknown {
			return kind, false
		}
		kind = t
	}
	isCompound := kind.Has(messages.SuffixCount)
	return kind, !isCompound || f.types == 1<<kind
}
