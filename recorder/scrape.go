package recorder

import (
	"errors"
	"fmt"
	"time"

	"fodc/messages"
)

// Sample is a sample that the agent makes itself. One whose value is messages.Gap is not
// recorded.
type Sample struct {
	// Name is the family's. Suffix follows it in the name of a histogram's sample.
	Name   string
	Suffix messages.Suffix
	Type   messages.MetricType
	Help   string
	Labels []messages.Label
	Value  float64
}

// Scrape is the result of one scrape of a target.
type Scrape struct {
	// At is the time of all its samples, recorded in milliseconds.
	At time.Time
	// Page is nil if the scrape failed. A page with an Err counts as a failed scrape.
	Page *Page
	// Failure says why the scrape gave no page, and becomes an event. It is empty if there is
	// a page, or if the target has none.
	Failure string
	// Samples are recorded whether the scrape failed or not. They come before those of the
	// page: a sample of the page that has the same series is a duplicate.
	Samples []Sample
}

// hasPage reports whether the scrape has a page that counts.
func (s *Scrape) hasPage() bool { return s.Page != nil && s.Page.Err() == nil }

// failure says why the scrape gave no page. It is empty if there is one, or if the target has
// none.
func (s *Scrape) failure() string {
	switch {
	case s.Page == nil:
		return s.Failure
	case s.Page.Err() != nil:
		return s.Page.Err().Error()
	default:
		return ""
	}
}

// size is how many samples the scrape has.
func (s *Scrape) size() int {
	if !s.hasPage() {
		return len(s.Samples)
	}
	return len(s.Samples) + s.Page.Samples()
}

// AppendResult says what became of the samples of a scrape: each is in Samples, or in one of
// the counts of Dropped.
type AppendResult struct {
	// Samples counts those recorded, NewSeries the series among them that were not in
	// the window before.
	Samples, NewSeries int
	Dropped            Dropped
	// FirstInvalid says what was wrong with the first sample that is not allowed.
	FirstInvalid error
	// DroppedMeta counts TYPE and HELP lines for which there was no room. The samples of such
	// a family are recorded, as untyped ones.
	DroppedMeta int
}

// Dropped counts samples that were not recorded, by reason.
type Dropped struct {
	// Duplicate had the series of an earlier sample of the same scrape.
	Duplicate int
	// Invalid had a name or labels that are not allowed.
	Invalid int
	// LabelCount were over Limits.SampleLabels, LabelBytes over Limits.LabelBytes.
	LabelCount, LabelBytes int
	// SeriesLimit were of new series over Limits.Series, MemoryLimit of new series while
	// series had all the memory that they may have.
	SeriesLimit, MemoryLimit int
}

// NotAllowed counts the samples that are invalid, or over a limit of labels.
func (d *Dropped) NotAllowed() int { return d.Invalid + d.LabelCount + d.LabelBytes }

// NoRoom counts the samples of new series for which there was no room.
func (d *Dropped) NoRoom() int { return d.SeriesLimit + d.MemoryLimit }

// dropInvalid counts a sample that is not allowed.
func (r *AppendResult) dropInvalid(raw string, err error) {
	switch {
	case errors.Is(err, errManyLabels):
		r.Dropped.LabelCount++
	case errors.Is(err, errLongLabel):
		r.Dropped.LabelBytes++
	default:
		r.Dropped.Invalid++
	}
	if r.FirstInvalid == nil {
		r.FirstInvalid = fmt.Errorf("series %.100q: %w", raw, err)
	}
}
