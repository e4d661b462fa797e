package journal

import "slices"

// SegmentInfo is what a segment has, without its samples.
type SegmentInfo struct {
	// Number is that of the segment. Name is the name of its file, Size the file's size.
	Number int64
	Name   string
	Size   int64
	Node   Node
	// Created and Closed are unix milliseconds. Closed is 0 if the segment was not closed.
	Created, Closed int64
	// Pinned segments are never removed by retention.
	Pinned bool
	// PinnedByHand says that somebody else than Writer.Pin has pinned it: Writer.Unpin does not change that.
	PinnedByHand bool
	// FirstNumber and LastNumber are those of its scrapes, MinTime and MaxTime their times in
	// unix milliseconds. All are 0 if there is none.
	FirstNumber, LastNumber int64
	MinTime, MaxTime        int64
	// Targets are in the order in which they were met.
	Targets []TargetInfo
	Marks   []Mark
	// Damage is nil if the segment could be read to its end.
	Damage *Damage
}

// TargetInfo is what a segment has of one target.
type TargetInfo struct {
	Name string
	// Series counts all that the segment defines.
	Series, Scrapes int
	Samples         int64
	// FirstNumber to MaxTime are those of SegmentInfo, of the target's scrapes.
	FirstNumber, LastNumber int64
	MinTime, MaxTime        int64
}

// Mark is something that happened beside the scrapes.
type Mark struct {
	Kind MarkKind
	// At is in unix milliseconds.
	At int64
}

// MarkKind says what happened.
type MarkKind byte

// The kinds of marks.
const (
	MarkAgentStarted MarkKind = 1
	MarkAgentStopped MarkKind = 2
)

// Scrapes returns how many there are of all targets.
func (i *SegmentInfo) Scrapes() (n int) {
	for t := range i.Targets {
		n += i.Targets[t].Scrapes
	}
	return n
}

// clone returns a copy that shares nothing that changes.
func (i *SegmentInfo) clone() SegmentInfo {
	c := *i
	c.Targets, c.Marks = slices.Clone(i.Targets), slices.Clone(i.Marks)
	return c
}

// addScrape counts a scrape of a target, the index of which is at most that of a new one.
func (i *SegmentInfo) addScrape(target int, name string, series int, number, at int64, samples int) {
	if target == len(i.Targets) {
		i.Targets = append(i.Targets, TargetInfo{Name: name})
	}
	t := &i.Targets[target]
	if t.Scrapes == 0 {
		t.FirstNumber, t.MinTime, t.MaxTime = number, at, at
	}
	if i.LastNumber == 0 {
		i.FirstNumber, i.MinTime, i.MaxTime = number, at, at
	}
	t.LastNumber, i.LastNumber = number, number
	t.MinTime, t.MaxTime = min(t.MinTime, at), max(t.MaxTime, at)
	i.MinTime, i.MaxTime = min(i.MinTime, at), max(i.MaxTime, at)
	t.Series = series
	t.Scrapes++
	t.Samples += int64(samples)
}

func (i *SegmentInfo) addMark(m Mark) {
	if len(i.Marks) < maxMarks {
		i.Marks = append(i.Marks, m)
	}
}
