package journal

import (
	"errors"
	"io"
	"slices"
	"strings"

	"fodc/recorder"
)

// segmentReader collects the scrapes of one segment that are wanted in rows.
type segmentReader struct {
	name string
	// closed says that the segment was closed.
	closed   bool
	file     ReadFile
	scan     *scanner
	selector *selector
	seen     *seenSeries
	// targets are by decodedTarget.index; nil for those without a scrape that is wanted.
	targets []*targetRows
	// bytes is the size of all rows.
	bytes int
	// pending is a scrape that its rows had no room for.
	pending *scrape
	// end is why nothing more is read: io.EOF at the end of the segment.
	end error
}

// targetRows is the rows of one target.
type targetRows struct {
	reader *segmentReader
	target *decodedTarget
	rows   recorder.Rows
	// found are its series, if these alone are wanted.
	found foundSeries
}

// partBytes is how many bytes of values are collected before they are answered. A block has
// the more scrapes, and takes the fewer bytes a sample, the more there are.
const partBytes = 4 << 20

// read reads on until rows must be answered, and returns these. They must be reset before it is
// called again. The error is returned with the last rows of the segment; it is io.EOF if there
// is nothing more to be read.
func (s *segmentReader) read() (flushed []*targetRows, err error) {
	for s.end == nil {
		c := s.pending
		if c == nil {
			if c = s.nextWanted(); c == nil {
				break
			}
		}
		t := s.rowsOf(c.target)
		if !t.rows.Accepts(c.at) {
			s.pending = c
			return []*targetRows{t}, nil
		}
		s.pending = nil
		before := t.rows.Bytes()
		t.append(c)
		if s.bytes += t.rows.Bytes() - before; s.bytes >= partBytes {
			return s.all(), nil
		}
	}
	return append(s.all(), s.foundRows()...), s.end
}

// append adds what is wanted of a scrape: its samples, its time alone, or its series.
func (t *targetRows) append(c *scrape) {
	if t.reader.selector.seriesOnly {
		t.found.add(c)
		if !t.reader.selector.scrapeTimes {
			return
		}
	}
	if t.reader.selector.seriesOnly || !c.target.isWanted {
		t.rows.Append(c.at, nil, nil)
		return
	}
	t.rows.Append(c.at, c.members, c.values)
}

// nextWanted returns the next scrape that is wanted, nil if there is none.
func (s *segmentReader) nextWanted() *scrape {
	for {
		r, err := s.scan.next()
		if errors.Is(err, errSkipped) {
			r, err = s.startAgain()
		}
		if err != nil {
			s.end = err
			return nil
		}
		c := r.scrape
		switch {
		case c == nil:
		case s.selector.isPast(c.at):
			s.end = io.EOF
			return nil
		case !c.target.isWanted && !s.selector.scrapeTimes:
		case s.selector.wantsScrape(c.target.name, c.number, c.at):
			return c
		}
	}
}

// startAgain reads the segment again with all values, and returns the record that could not be read
// without those before it. It happens once a segment at most, where a family is wanted that a
// target did not have from the begin.
func (s *segmentReader) startAgain() (record, error) {
	at := s.scan.at
	scan, _, err := newScanner(s.file, s.scan.size)
	if err != nil {
		return record{}, err
	}
	s.scan = scan
	for {
		r, err := scan.next()
		if err != nil || scan.at > at {
			return r, err
		}
	}
}

// rowsOf returns the rows of the target, with all series that it has now.
func (s *segmentReader) rowsOf(t *decodedTarget) *targetRows {
	for len(s.targets) <= t.index {
		s.targets = append(s.targets, nil)
	}
	r := s.targets[t.index]
	if r == nil {
		r = &targetRows{reader: s}
		if s.selector.scrapeTimes {
			r.rows.Target = t.name
		}
		s.targets[t.index] = r
	}
	r.target = t
	r.rows.Define(t.keys, t.familyOf, s.selector.wantsFamily)
	return r
}

// all returns the rows of all targets that have some, by name.
func (s *segmentReader) all() (found []*targetRows) {
	for _, t := range s.targets {
		if t != nil && t.rows.Bytes() > 0 {
			found = append(found, t)
		}
	}
	slices.SortFunc(found, func(a, b *targetRows) int { return strings.Compare(a.target.name, b.target.name) })
	return found
}

func (t *targetRows) reset() {
	t.reader.bytes -= t.rows.Bytes()
	t.rows.Reset()
}
