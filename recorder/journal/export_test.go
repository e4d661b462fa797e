package journal

import (
	"errors"
	"io"
	"math"

	"fodc/recorder"
)

// ReadSegment returns all scrapes and marks of a segment that can be read, as far as size says.
func ReadSegment(dir FS, name string, size int64) (scrapes []*recorder.Batch, marks []Mark, damage *Damage, err error) {
	f, err := dir.Open(name)
	if err != nil {
		return nil, nil, nil, err
	}
	defer f.Close()
	s, _, err := newScanner(f, size)
	for err == nil {
		var r record
		if r, err = s.next(); err == nil && r.scrape != nil {
			scrapes = append(scrapes, batchOf(r.scrape))
		} else if err == nil {
			marks = append(marks, r.mark)
		}
	}
	if err == io.EOF || errors.As(err, &damage) {
		err = nil
	}
	return scrapes, marks, damage, err
}

// ReadEvents returns all events of a segment that can be read, as far as size says.
func ReadEvents(dir FS, name string, size int64) (events []recorder.Event, err error) {
	f, err := dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, _, err := newScanner(f, size)
	if err != nil {
		return nil, err
	}
	s.events = true
	for {
		r, err := s.next()
		switch {
		case err == io.EOF || errors.As(err, new(*Damage)):
			return events, nil
		case err != nil:
			return events, err
		case r.event != nil:
			events = append(events, *r.event)
		}
	}
}

// IsSameBatch reports whether two batches are the same but for their numbers and the order of
// their series.
func IsSameBatch(a, b *recorder.Batch) bool {
	if a.Target != b.Target || a.At != b.At || a.Failure != b.Failure || len(a.Values) != len(b.Values) {
		return false
	}
	index := make(map[recorder.SeriesKey]int, len(a.Values))
	for i, k := range a.Series.Keys {
		index[k] = i
	}
	for i, k := range b.Series.Keys {
		at, found := index[k]
		if !found || math.Float64bits(a.Values[at]) != math.Float64bits(b.Values[i]) ||
			a.Series.Families[a.Series.FamilyOf[at]] != b.Series.Families[b.Series.FamilyOf[i]] {
			return false
		}
	}
	return true
}

// The limits that tests of the writer need.
const (
	MaxSegmentBytes = maxSegmentBytes
	MaxSegmentTime  = maxSegmentTime
	MinRetryDelay   = minRetryDelay
	MaxRetryDelay   = maxRetryDelay
	UpkeepInterval  = upkeepInterval
	MaxSegments     = maxSegments
)
