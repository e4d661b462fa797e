package journal

import (
	"errors"
	"io"

	"fodc/recorder"
)

// ScrapeRead is a scrape as a test reads it from a segment.
type ScrapeRead struct {
	Number, At int64
	Target     string
	Failure    string
	Values     map[recorder.SeriesKey]float64
}

// ReadSegment returns all that can be read of a segment, as far as size says.
func ReadSegment(dir FS, name string, size int64) (scrapes []ScrapeRead, marks []Mark, damage *Damage, err error) {
	f, err := dir.Open(name)
	if err != nil {
		return nil, nil, nil, err
	}
	defer f.Close()
	s, _, err := newScanner(f, size)
	if err != nil {
		return nil, nil, nil, err
	}
	for {
		r, err := s.next()
		switch {
		case err == io.EOF:
			return scrapes, marks, nil, nil
		case errors.As(err, &damage):
			return scrapes, marks, damage, nil
		case err != nil:
			return scrapes, marks, nil, err
		case r.scrape == nil:
			marks = append(marks, r.mark)
			continue
		}
		c := r.scrape
		read := ScrapeRead{Number: c.number, At: c.at, Target: c.target.name, Failure: c.failure, Values: map[recorder.SeriesKey]float64{}}
		for i, id := range c.members {
			read.Values[c.target.keys[id]] = c.values[i]
		}
		scrapes = append(scrapes, read)
	}
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
