package journal

import (
	"fmt"
	"time"
)

// takeSpace makes sure that so many bytes leave enough of the file system free: see checkSpace. It
// asks the file system only if what was free at the last look may not suffice, so what others write
// meanwhile is seen at the next one.
func (w *Writer) takeSpace(more int64, now time.Time) error {
	if more > w.space.left {
		if err := w.checkSpace(more, now); err != nil {
			return err
		}
	}
	w.space.left -= more
	return nil
}

// checkSpace removes the oldest segments, all but the newest, while the file system has too little
// free space for so many bytes more, and pauses the writer if that does not help.
func (w *Writer) checkSpace(more int64, now time.Time) error {
	var atFirst, removed uint64
	for {
		free, total, err := w.fs.Space()
		if err != nil {
			w.stats.Errors[OpSpace]++
			w.space.unknown()
			return nil // A write will say whether there is space.
		}
		w.stats.Free = free
		if removed == 0 {
			atFirst = free
		}
		// Some file systems take a while until what was removed is free.
		if w.space.isEnough(max(free, atFirst+removed), total, more) {
			w.space.low = false
			return nil
		}
		if w.space.low {
			return ErrPaused
		}
		old := w.files.removable()
		if old == nil || old == w.files.newest() {
			return w.pauseLow(free, total, now)
		}
		if w.removeOld(old) == nil {
			removed += uint64(old.bytes)
		}
	}
}

// pauseLow pauses the writer until the file system has more free space.
func (w *Writer) pauseLow(free, total uint64, now time.Time) error {
	switch {
	case w.current == nil:
	case w.current.info.LastNumber == 0:
		w.Abandon() // It has nothing.
	default:
		if err := w.closeSegment(now); err != nil {
			return err
		}
	}
	w.space.low = true
	w.stats.setState(StatePaused, fmt.Errorf("%d of the %d bytes of the file system are free, %.0f must be (--storage-min-free)",
		free, total, w.cfg.MinFree*float64(total)), now)
	return ErrPaused
}

// pauseFull pauses the writer until so many bytes have room beside the pinned segments. If they
// could never have, the scrape is invalid.
func (w *Writer) pauseFull(more int64, now time.Time) error {
	w.Abandon()
	if more > w.retention.bytes {
		return fmt.Errorf("%w: it takes %d bytes, the journal may have %d (--storage-retention-size)", ErrInvalid, more, w.retention.bytes)
	}
	w.wanted = more
	w.stats.setState(StatePaused, fmt.Errorf("pinned segments leave no room for %d bytes within the %d that the journal may have (--storage-retention-size)",
		more, w.retention.bytes), now)
	return ErrPaused
}
