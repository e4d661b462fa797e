package recorder

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"fodc/messages"
)

// identity is the family, suffix and labels of a sample.
type identity struct {
	family Family
	suffix messages.Suffix
	labels messages.LabelText
}

func (id *identity) key() SeriesKey { return SeriesKey{id.family.Name, id.suffix, id.labels} }

var (
	errManyLabels = errors.New("(--max-sample-labels)")
	errLongLabel  = errors.New("(--max-label-bytes)")
)

// checkLabels returns an error if there are too many labels, or one is too long. A label with an
// empty value is no label.
func (l *Limits) checkLabels(labels []messages.Label) error {
	if n := countLabels(labels); n > l.SampleLabels {
		return fmt.Errorf("%d labels, at most %d are allowed %w", n, l.SampleLabels, errManyLabels)
	}
	for _, of := range labels {
		if of.Value == "" {
			continue
		}
		if n := len(of.Name); n > l.LabelBytes {
			return fmt.Errorf("label name %.100q of %d bytes, at most %d are allowed %w", of.Name, n, l.LabelBytes, errLongLabel)
		}
		if n := len(of.Value); n > l.LabelBytes {
			return fmt.Errorf("label %.100q of %d bytes, at most %d are allowed %w", of.Name, n, l.LabelBytes, errLongLabel)
		}
	}
	return nil
}

// countLabels counts the labels that have a value.
func countLabels(labels []messages.Label) (n int) {
	for _, l := range labels {
		if l.Value != "" {
			n++
		}
	}
	return n
}

// labelsOf returns the label text of a sample: its own labels, whose slice it may change, and
// those of the target. It returns an error for names that are not allowed, or that are there
// twice. A label with an empty value is no label: the series is the one without it.
func labelsOf(own, target []messages.Label) (messages.LabelText, error) {
	slices.SortFunc(own, func(a, b messages.Label) int { return strings.Compare(a.Name, b.Name) })
	for i, l := range own {
		if err := messages.CheckLabelName(l.Name); err != nil {
			return "", err
		}
		if i > 0 && own[i-1].Name == l.Name {
			return "", fmt.Errorf("label %.100q is there twice", l.Name)
		}
	}
	own = slices.DeleteFunc(own, func(l messages.Label) bool { return l.Value == "" })
	text := messages.RenderLabels(messages.StampLabels(own, target))
	if err := messages.CheckLabelText(text); err != nil {
		return "", err
	}
	return text, nil
}
