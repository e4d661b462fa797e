package journal

import (
	"hash/maphash"

	"fodc/recorder"
)

// foundSeries are the series of one target of a segment that have a sample in a scrape that is
// wanted.
type foundSeries struct {
	// has says of each series, by its id, whether it has one.
	has []bool
	// changes is that of the target at the newest of these scrapes, at the time of that.
	changes int
	at      int64
}

// add adds the series of a scrape.
func (f *foundSeries) add(c *scrape) {
	f.at = c.at
	if f.has != nil && f.changes == c.target.changes {
		return
	}
	f.changes = c.target.changes
	f.has = append(f.has, make([]bool, len(c.target.keys)-len(f.has))...)
	for _, id := range c.members {
		f.has[id] = true
	}
}

// foundRows returns rows of the series that were found and not answered yet.
func (s *segmentReader) foundRows() (rows []*targetRows) {
	for _, t := range s.targets {
		if t == nil {
			continue
		}
		var ids []int32
		for id, has := range t.found.has {
			if k := t.target.keys[id]; has && s.selector.wantsFamily(k.Name) && s.seen.add(t.target.name, k) {
				ids = append(ids, int32(id))
			}
		}
		if len(ids) == 0 {
			continue
		}
		r := &targetRows{reader: s, target: t.target}
		r.rows.Target = t.rows.Target
		r.rows.Define(t.target.keys, t.target.familyOf, s.selector.wantsFamily)
		r.rows.Append(t.found.at, ids, make([]float64, len(ids)))
		s.bytes += r.rows.Bytes()
		rows = append(rows, r)
	}
	return rows
}

// maxSeenSeries bounds the series that a reader keeps in mind: as many as a window has by default,
// and some more.
const maxSeenSeries = 1 << 18

// seenSeries are series of targets, by their hashes.
type seenSeries struct{ hashes map[uint64]struct{} }

var seenSeed = maphash.MakeSeed()

// add adds a series. It returns false if it is there already.
func (s *seenSeries) add(target string, k recorder.SeriesKey) bool {
	type name struct {
		target string
		key    recorder.SeriesKey
	}
	hash := maphash.Comparable(seenSeed, name{target, k})
	if _, known := s.hashes[hash]; known {
		return false
	}
	if s.hashes == nil {
		s.hashes = make(map[uint64]struct{})
	}
	if len(s.hashes) < maxSeenSeries {
		s.hashes[hash] = struct{}{}
	}
	return true
}
