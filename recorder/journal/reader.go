package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"fodc/messages"
	"fodc/recorder"
)

// Reader reads what a query wants of a journal, in the order of recording. It has one owner.
type Reader struct {
	dir      FS
	selector *selector
	// left are the segments that were not read yet.
	left []SegmentInfo
	// current is the one that is being read, nil if there is none.
	current *segmentReader
	// families are those of each target as they are answered.
	families map[string]map[string]recorder.Family
	// seen are the series that were answered, if each is answered once.
	seen seenSeries
	// flushed are rows that are to be answered, snapshot what is left of the first of them.
	flushed  []*targetRows
	snapshot *recorder.Snapshot
	// failure is an error that is to be returned behind the rows.
	failure error
	damage  []SegmentDamage
}

// SegmentDamage is damage of a segment.
type SegmentDamage struct {
	// Name is that of the file.
	Name string
	*Damage
}

// maxKnownFamilies bounds the families whose type and help a reader keeps in mind. Of those
// over it, an answer may have several.
const maxKnownFamilies = 1 << 16

// NewReader returns a reader of what the query wants of the segments of the view. It must be
// closed.
func (v *View) NewReader(dir FS, q Query) *Reader {
	r := &Reader{dir: dir, selector: newSelector(&q), families: make(map[string]map[string]recorder.Family)}
	for _, h := range q.Held {
		known := make(map[string]recorder.Family, len(h.Families))
		for _, f := range h.Families {
			known[f.Name] = f
		}
		r.families[h.Target] = known
	}
	for i := range v.Segments {
		if r.selector.wantsSegment(&v.Segments[i]) {
			r.left = append(r.left, v.Segments[i])
		}
	}
	return r
}

// Next returns the next batch, as recorder.Snapshot.Next does: nil without an error at the end.
// Blocks of several targets come in turn, those of one in the order of recording. Type and help
// of a family are those that Held has, else those that were read first.
//
// If series alone are wanted, each comes once with the value 0, at the time of a scrape that is
// wanted, and after maxSeenSeries once for each segment.
//
// A damaged segment ends where the damage is, and one that was removed meanwhile is skipped.
// Any other error is returned once: then the rest of its segment is left out, and Next goes on
// with the next one.
func (r *Reader) Next(budget int) ([]messages.Block, error) {
	for {
		if blocks := r.nextOfFlushed(budget); blocks != nil {
			return blocks, nil
		}
		if err := r.failure; err != nil {
			r.failure = nil
			return nil, err
		}
		if r.current != nil {
			var err error
			if r.flushed, err = r.current.read(); err != nil {
				r.failure = r.endOf(r.current.name, r.current.closed, err)
				r.Close()
			}
			continue
		}
		if len(r.left) == 0 {
			return nil, nil
		}
		r.failure = r.open(&r.left[0])
		r.left = r.left[1:]
	}
}

// nextOfFlushed returns the next batch of the rows that are to be answered.
func (r *Reader) nextOfFlushed(budget int) []messages.Block {
	for len(r.flushed) > 0 {
		t := r.flushed[0]
		if r.snapshot == nil {
			r.snapshot = t.rows.Snapshot(r.familiesOf(t.target))
		}
		if blocks := r.snapshot.Next(budget); blocks != nil {
			return blocks
		}
		t.reset()
		r.snapshot, r.flushed = nil, r.flushed[1:]
	}
	return nil
}

// open opens the segment.
func (r *Reader) open(info *SegmentInfo) error {
	f, err := r.dir.Open(info.Name)
	if err != nil {
		return r.endOf(info.Name, info.Closed != 0, err)
	}
	scan, _, err := newScanner(f, info.Size)
	if err != nil {
		_ = f.Close() // Nothing was written.
		return r.endOf(info.Name, info.Closed != 0, err)
	}
	scan.skipValues = r.selector.seriesOnly
	if r.selector.names != nil {
		scan.decode.wanted = r.selector.wantsFamily
	}
	r.current = &segmentReader{name: info.Name, closed: info.Closed != 0, file: f, scan: scan, selector: r.selector, seen: &r.seen}
	return nil
}

// endOf returns the error, unless it is one with which a segment just ends. A segment that was closed
// has no torn record: a length in it is wrong.
func (r *Reader) endOf(name string, closed bool, err error) error {
	var damage *Damage
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.As(err, &damage):
		damage.Torn = damage.Torn && !closed
		r.damage = append(r.damage, SegmentDamage{name, damage})
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}

// familiesOf returns the families of the target as they are answered.
func (r *Reader) familiesOf(t *decodedTarget) []recorder.Family {
	known := r.families[t.name]
	if known == nil {
		known = make(map[string]recorder.Family)
		r.families[t.name] = known
	}
	all := make([]recorder.Family, len(t.families))
	for i, f := range t.families {
		if first, ok := known[f.Name]; ok {
			f = first
		} else if len(known) < maxKnownFamilies && r.selector.wantsFamily(f.Name) {
			known[f.Name] = f
		}
		all[i] = f
	}
	return all
}

// Damage returns where reading of segments has ended before their end.
func (r *Reader) Damage() []SegmentDamage { return r.damage }

// Close ends reading.
func (r *Reader) Close() {
	if r.current != nil {
		_ = r.current.file.Close() // Nothing was written.
		r.current = nil
	}
}
