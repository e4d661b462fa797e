package journal

import (
	"cmp"
	"errors"
	"io/fs"
	"slices"
	"time"
)

// unreadableNumbers: if a segment cannot be read, and so the numbers in it are not known, those of
// this process begin at the newest segment's number times 2^unreadableNumbers. All that were ever
// given are below, for no two segments can have so many scrapes. So they ascend even if the next
// process can read what this one cannot.
const unreadableNumbers = 32

// Open reads what the directory has. It begins no segment: the first scrape does. After an error
// it may be called again. Segments that cannot be read are no error: View says why.
func (w *Writer) Open(now time.Time) error {
	if w.stats.State != StateClosed {
		return nil
	}
	if w.started.IsZero() {
		w.started, w.markStart = now, true
	}
	w.stats.Base, w.stats.Damaged = 0, 0
	if err := w.scan(); err != nil {
		return err
	}
	for _, f := range w.files {
		if f.err != nil {
			w.stats.Base = max(w.stats.Base, w.lastSegment<<unreadableNumbers)
		}
		if f.err != nil || f.info.Damage != nil {
			w.stats.Damaged++
		}
	}
	w.upkeep = now
	w.stats.setState(StateWriting, nil, now)
	// A limit may be lower than before. What cannot be removed now is before the next write.
	_, _ = w.makeRoom(0, now)
	return nil
}

// scan takes up what the directory has. What is known of a file already stays, unless it has
// vanished. Numbers go on above all that are found.
func (w *Writer) scan() error {
	listed, err := w.fs.List()
	if err != nil {
		w.stats.Errors[OpList]++
		return err
	}
	if w.vanished {
		w.files = nil
	}
	pinned, byHand := map[int64]bool{}, map[int64]bool{}
	var files segmentFiles
	for _, l := range listed {
		if number, hand, ok := parsePinName(l.Name); ok {
			pinned[number] = true
			byHand[number] = byHand[number] || hand
			// A pin stays if somebody removes its segment. It must not be one of a later segment.
			w.lastSegment = max(w.lastSegment, number)
		}
		number, ok := parseSegmentName(l.Name)
		if !ok {
			continue
		}
		w.lastSegment = max(w.lastSegment, number)
		f := w.files.find(number)
		if f == nil {
			if f = w.read(l.Name, number); f == nil {
				continue
			}
		}
		f.bytes = l.Size
		files = append(files, f)
	}
	slices.SortFunc(files, func(a, b *segmentFile) int { return cmp.Compare(a.info.Number, b.info.Number) })
	for _, f := range files {
		f.info.Pinned, f.info.PinnedByHand = pinned[f.info.Number], byHand[f.info.Number]
		if f.info.LastNumber > w.stats.Base+w.newest {
			w.stats.Base = f.info.LastNumber
		}
	}
	w.files, w.view, w.list, w.vanished = files, nil, false, false
	return nil
}

// read returns what the file of a segment has, nil if it does not exist any more.
func (w *Writer) read(name string, number int64) *segmentFile {
	info, err := readFileInfo(w.fs, name, number)
	switch {
	case err == nil:
		return &segmentFile{info: info}
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	w.stats.Errors[OpOpen]++
	return &segmentFile{info: SegmentInfo{Number: number, Name: name}, err: err}
}

// Close ends the journal: it closes the current segment with a mark of the stop. What cannot be
// written is given up.
func (w *Writer) Close(now time.Time) error {
	if w.stats.State == StateClosed {
		return nil
	}
	err := w.end(now)
	w.buffer = nil
	w.stats.setState(StateClosed, err, now)
	return err
}

func (w *Writer) end(now time.Time) error {
	if w.current == nil {
		return nil
	}
	mark := w.encoder.appendMark(w.buffer[:0], Mark{MarkAgentStopped, now.UnixMilli()})
	if err := w.writeFrame(mark, now); err != nil {
		return err
	}
	return w.closeSegment(now)
}
