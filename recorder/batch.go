package recorder

import "fodc/messages"

// Batch is what one scrape recorded, for others to keep: the journal writes it to disk. It
// never changes.
type Batch struct {
	// Number is the number of the append: 1 for the first of the process, and ascending. Scrapes
	// of former processes that are replayed into a window have numbers below 1.
	Number int64
	// Target is the name of the target.
	Target string
	// At is the time of the scrape in unix milliseconds.
	At int64
	// Failure says why the scrape gave no page. It is empty if there was one, or if the target
	// has none. A failed scrape may have samples of the agent.
	Failure string
	// Series are those that have a sample, each once, and Values their values in the same
	// order. Successive batches of a target have the same list while it does not change.
	Series *SeriesList
	Values []float64
}

// SeriesList is a list of series of one target, with their families. It never changes.
type SeriesList struct {
	Keys []SeriesKey
	// FamilyOf has the index in Families of the family of each key.
	FamilyOf []int32
	// Families are those of the keys, and may be more. None is there twice.
	Families []Family
}

// SeriesKey identifies a series of a target.
type SeriesKey struct {
	// Name is the name of the family.
	Name   string
	Suffix messages.Suffix
	Labels messages.LabelText
}

// Family is the metadata of a family.
type Family struct {
	Name string
	Type messages.MetricType
	// FromAgent says that the agent makes the family's samples itself: a page cannot change its
	// type and help.
	FromAgent bool
	Help      string
}

// Held says which scrapes of a target a window holds: all from one on.
type Held struct {
	Target string
	// Oldest is the number of the oldest append that is held, At its time in unix
	// milliseconds.
	Oldest int64
	At     int64
	// Families are the target's families as the window shows them: see messages.Family.
	Families []Family
}
