package journal

import "time"

// upkeepInterval is the time between two looks at the free space and at the age of segments.
const upkeepInterval = 10 * time.Second

// NextDue returns when Due has something to do, zero if never.
func (w *Writer) NextDue() time.Time {
	switch w.stats.State {
	case StateClosed:
		return time.Time{}
	case StateFailing:
		return w.backoff.until
	}
	next := w.upkeep
	if at := w.unsynced.Add(w.cfg.SyncInterval); !w.unsynced.IsZero() && at.Before(next) {
		next = at
	}
	return next
}

// Due does what is due: syncs, removes what is too old, looks at the free space, or tries the disk
// again after a failure. It returns nil if a scrape can be written now, else the error that Append
// would return.
func (w *Writer) Due(now time.Time) error {
	if err := w.ready(now); err != nil {
		return err
	}
	switch {
	case w.stats.State == StateFailing:
		if err := w.beginSegment(now); err != nil {
			return err
		}
		w.stats.setState(StateWriting, nil, now)
	case !w.unsynced.IsZero() && now.Sub(w.unsynced) >= w.cfg.SyncInterval:
		return w.sync(now)
	}
	return nil
}

// keepUp does what is due each upkeepInterval. It returns ErrPaused if the writer pauses.
func (w *Writer) keepUp(now time.Time) error {
	if !now.Before(w.upkeep) {
		w.upkeep = now.Add(upkeepInterval)
		for _, f := range w.files {
			f.stuck = false
		}
		if f := w.retention.nextExpired(w.files, now); f != nil {
			_ = w.removeOld(f)
		}
		if err := w.checkSpace(0, now); err != nil {
			return err
		}
		if w.wanted > 0 && w.hasRoom(w.wanted) {
			w.wanted = 0
		}
		if w.stats.State == StatePaused && !w.space.low && w.wanted == 0 {
			w.stats.setState(StateWriting, nil, now)
		}
	}
	if w.stats.State == StatePaused {
		return ErrPaused
	}
	return nil
}

// hasRoom reports whether so many bytes have room, if need be after others are removed.
func (w *Writer) hasRoom(more int64) bool {
	remove, fits := w.retention.room(w.files, more)
	return fits || remove != nil
}

// removeOld removes a segment as retention has it. If that fails, it counts as not removable until
// the next upkeep.
func (w *Writer) removeOld(f *segmentFile) error {
	if err := w.remove(f); err != nil {
		f.stuck = true
		w.stats.Errors[OpRemove]++
		return err
	}
	w.stats.Removed++
	return nil
}

// makeRoom removes the oldest segments until so many bytes more are within the limit. Fits is false
// if no more can be removed.
func (w *Writer) makeRoom(more int64, now time.Time) (fits bool, err error) {
	var failure error
	for {
		remove, fits := w.retention.room(w.files, more)
		switch {
		case fits:
			return true, nil
		case remove != nil:
			if err := w.removeOld(remove); err != nil {
				failure = err
			}
		case failure != nil:
			return false, w.retry(failure, now)
		default:
			return false, nil
		}
	}
}
