package journal

import "time"

const (
	// maxSegments bounds the number of files: an agent that is restarted again and again makes
	// many small ones.
	maxSegments = 1000
	// expireInterval is the shortest time between two segments that are removed for their age,
	// so that a clock that is wrong for a moment does not cost all that was recorded.
	expireInterval = time.Minute
)

// retention decides which segments are removed.
type retention struct {
	bytes int64
	time  time.Duration
	// expired is when the last segment was removed for its age.
	expired time.Time
}

// room returns the segment that has to be removed before so many bytes more are written, nil if
// there is none. Fits is false if they have no room, or not yet. Nothing is removed for bytes that
// would have no room even then.
func (r *retention) room(l segmentFiles, more int64) (remove *segmentFile, fits bool) {
	size := l.bytes()
	if len(l) <= maxSegments && size <= r.bytes {
		switch {
		case size+more <= r.bytes:
			return nil, true
		case l.keptBytes()+more > r.bytes:
			return nil, false
		}
	}
	return l.removable(), false
}

// nextExpired returns a segment that is older than the retention time, nil if there is none, or
// none may be removed yet. The newest one never is.
func (r *retention) nextExpired(l segmentFiles, now time.Time) *segmentFile {
	if !r.expired.IsZero() && now.Sub(r.expired) < expireInterval {
		return nil
	}
	last := l.newest()
	for i, f := range l {
		if newest, known := l.newestTime(i); known && f != last && f.isRemovable() && now.UnixMilli()-newest > r.time.Milliseconds() {
			r.expired = now
			return f
		}
	}
	return nil
}

// newestTime returns the time of a segment's newest sample in unix milliseconds. One without
// samples, or that cannot be read, is as old as the next one.
func (l segmentFiles) newestTime(i int) (newest int64, known bool) {
	for _, f := range l[i:] {
		if f.info.LastNumber != 0 {
			return f.info.MaxTime, true
		}
	}
	return 0, false
}
