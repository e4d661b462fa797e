package messages

import (
	"math"
	"strconv"
	"strings"
	"unique"
)

// The names of identity labels that are not a node's own: those begin with
// NodeLabelPrefix.
const (
	LabelPodName    = "pod_name"
	NodeLabelPrefix = "node_"
)

// IsIdentityName reports whether the identity of a node may have a label of the name.
func IsIdentityName(name string) bool {
	return name == LabelPodName || strings.HasPrefix(name, NodeLabelPrefix)
}

// LabelFacts is what a page needs to know of a label text, found once for all pages.
type LabelFacts struct {
	// Text has no label for whose name IsIdentityName holds.
	Text LabelText
	// Plain says that the text HasPlainNames.
	Plain bool
	// BoundName is the label that was looked for as CutBound does, empty if none was;
	// Rest and Bound are what it found.
	BoundName string
	Rest      LabelText
	Bound     float64
}

// KnownLabels is the facts of a text, of which the process has one copy however many
// nodes have such a series. The zero KnownLabels knows nothing.
type KnownLabels struct{ facts unique.Handle[LabelFacts] }

// IsZero reports whether nothing is known.
func (k KnownLabels) IsZero() bool { return k == KnownLabels{} }

// Facts returns what is known. It must not be nothing.
func (k KnownLabels) Facts() LabelFacts { return k.facts.Value() }

// KnowLabels returns the facts of a checked text; nothing if it has labels that are to
// be split off. boundName is le, quantile or empty: see BoundName.
func KnowLabels(t LabelText, boundName string) KnownLabels {
	if claimed, _ := t.Split(); claimed != "" {
		return KnownLabels{}
	}
	f := LabelFacts{Text: t, Plain: t.HasPlainNames()}
	if boundName != "" {
		rest, bound, err := t.CutBound(boundName)
		if err != nil {
			return KnownLabels{}
		}
		f.BoundName, f.Rest, f.Bound = boundName, rest, bound
	}
	return KnownLabels{unique.Make(f)}
}

// MayClaim reports whether the text may hold a label for whose name IsIdentityName
// holds. False positives are fine: this is to get past most texts without reading them.
func (t LabelText) MayClaim() bool {
	return strings.Contains(string(t), NodeLabelPrefix) || strings.Contains(string(t), LabelPodName)
}

// Split parts the labels that an identity may have from the others. claimed is empty if
// there are none, or the text is not a checked one.
func (t LabelText) Split() (claimed, own LabelText) {
	if !t.MayClaim() {
		return "", t
	}
	var of [2][]byte
	for rest := t; rest != ""; {
		first, next, err := rest.Cut()
		if err != nil {
			return "", t
		}
		to := &of[0]
		if !IsIdentityName(first.Name) {
			to = &of[1]
		}
		*to = appendRaw(*to, first)
		rest = next
	}
	return LabelText(of[0]), LabelText(of[1])
}

func appendRaw(b []byte, l RawLabel) []byte {
	if len(b) > 0 {
		b = append(b, ',')
	}
	return append(b, l.Text...)
}

// Join returns the labels of two checked texts, which have no name in common, as one.
func (t LabelText) Join(other LabelText) LabelText {
	if t == "" || other == "" {
		return t + other
	}
	return RenderLabels(append(t.Labels(), other.Labels()...))
}

// BoundName is the label that is a number in the name of a series: le, quantile, or
// empty if there is none.
func BoundName(t MetricType, s Suffix) string {
	switch {
	case t == TypeHistogram && s == SuffixBucket:
		return "le"
	case t == TypeSummary && s == SuffixNone:
		return "quantile"
	default:
		return ""
	}
}

// CutBound returns the text without the label of the name, and the label's value for
// the order of bounds: what is no number comes last. Without such a label it returns the
// text, and 0.
func (t LabelText) CutBound(name string) (rest LabelText, bound float64, err error) {
	for left := t; left != ""; {
		first, next, err := left.Cut()
		if err != nil {
			return "", 0, err
		}
		if first.Name == name {
			from := len(t) - len(left)
			before, after := t[:from], next
			if next == "" && from > 0 {
				before = before[:from-1] // without the comma
			}
			return before + after, parseBound(first.Escaped), nil
		}
		left = next
	}
	return t, 0, nil
}

func parseBound(text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) {
		return math.Inf(1)
	}
	return v
}
