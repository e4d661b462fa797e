package journal

import (
	"errors"
	"io/fs"
	"slices"
	"time"
)

// beginSegment creates the next segment.
func (w *Writer) beginSegment(now time.Time) error {
	if w.list {
		if err := w.scan(); err != nil {
			return w.retry(err, now)
		}
	}
	number := w.lastSegment + 1
	encoder := newEncoder(Header{Number: number, Created: now.UnixMilli(), Node: w.currentNode()})
	header, err := encoder.appendHeader(nil)
	if err != nil {
		return w.failed(OpCreate, err, now)
	}
	var mark []byte
	if w.markStart {
		mark = encoder.appendMark(nil, Mark{MarkAgentStarted, w.started.UnixMilli()})
	}
	need := int64(len(header)+len(mark)) + reserve(encoder)
	if fits, err := w.makeRoom(need, now); err != nil {
		return err
	} else if !fits {
		return w.pauseFull(need, now)
	}
	w.lastSegment = number
	file, err := w.fs.Create(segmentName(number))
	if err != nil {
		return w.failed(OpCreate, err, now)
	}
	w.file, w.encoder, w.unsyncedDir = file, encoder, true
	w.current = &segmentFile{info: SegmentInfo{Number: number, Name: segmentName(number)}, open: true}
	w.files = append(w.files, w.current)
	if err := w.writeFrame(header, now); err != nil || mark == nil {
		return err
	}
	return w.writeFrame(mark, now)
}

// reserve returns how many bytes the frames take at most that close a segment.
func reserve(e *encoder) int64 {
	const fixed, eachTarget, eachMark = 256, 96, 16
	n := fixed + eachMark*len(e.info.Marks)
	for i := range e.info.Targets {
		n += eachTarget + len(e.info.Targets[i].Name)
	}
	return int64(n)
}

// closeSegment writes the index of the current segment and syncs it.
func (w *Writer) closeSegment(now time.Time) error {
	// The encoder may have counted a scrape that was not written.
	w.encoder.info = w.current.info.clone()
	frames := w.encoder.appendIndex(w.buffer[:0], w.current.bytes, now.UnixMilli())
	w.keepBuffer(frames)
	if err := w.writeFrame(frames, now); err != nil {
		return err
	}
	if err := w.sync(now); err != nil {
		return err
	}
	err := w.file.Close()
	w.file = nil
	w.leaveSegment()
	if err != nil {
		return w.failed(OpSync, err, now)
	}
	return nil
}

// leaveSegment has no segment be the current one.
func (w *Writer) leaveSegment() {
	if w.current != nil {
		w.current.open = false
	}
	w.current, w.encoder, w.unsynced = nil, nil, time.Time{}
}

// Abandon leaves the current segment as it is, for ever: the next scrape begins another one. A
// caller uses it if it does not know what became of an operation.
func (w *Writer) Abandon() {
	if w.file != nil {
		_ = w.file.Close() // Nothing is to be saved.
		w.file = nil
	}
	left := w.current
	w.leaveSegment()
	w.list = true
	if left != nil && left.info.LastNumber == 0 && !w.vanished {
		_ = w.remove(left) // It has no scrape. If it stays, it is removed in its turn.
	}
}

// sync makes what was written survive a power cut.
func (w *Writer) sync(now time.Time) error {
	began := w.clock()
	if err := w.syncAll(); err != nil {
		w.unsynced = time.Time{} // It is not tried twice: behind an error, a sync says nothing any more.
		return w.failed(OpSync, err, now)
	}
	w.stats.SyncTime += w.clock().Sub(began)
	w.stats.Syncs++
	w.unsynced = time.Time{}
	w.backoff.succeeded()
	return nil
}

func (w *Writer) syncAll() error {
	if err := w.file.Present(); err != nil {
		w.vanished = errors.Is(err, fs.ErrNotExist)
		return err
	}
	if err := w.file.Sync(); err != nil {
		return err
	}
	if w.unsyncedDir {
		if err := w.fs.SyncDir(); err != nil {
			return err
		}
		w.unsyncedDir = false
	}
	return nil
}

// clock returns the time of Config.Clock.
func (w *Writer) clock() time.Time {
	if w.cfg.Clock == nil {
		return time.Time{}
	}
	return w.cfg.Clock()
}

// remove removes a segment.
func (w *Writer) remove(f *segmentFile) error {
	isNewest := f == w.files.newest()
	err := w.fs.Remove(f.info.Name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if isNewest {
		// Numbers begin anew if the process ends now: then this one must not come back.
		_ = w.fs.SyncDir()
	}
	w.files = slices.DeleteFunc(w.files, func(other *segmentFile) bool { return other == f })
	w.unsyncedDir, w.view = true, nil
	return nil
}
