package journal

import "time"

const (
	// maxSegmentBytes is the size at which a segment is closed, unless that is more than
	// 1/segmentsOfRetention of all: so little is lost when the oldest one is removed.
	maxSegmentBytes     = 16 << 20
	segmentsOfRetention = 16
	// maxSegmentTime is the time between the oldest and the newest sample at which a segment is
	// closed, unless the configuration says a shorter one.
	maxSegmentTime = 2 * time.Hour
	// maxStepBack is how far the time of a scrape may be before that of the newest one. If it is
	// farther, the clock was set back, and a new segment begins.
	maxStepBack = time.Minute
)

// rotation decides when a segment is closed.
type rotation struct {
	bytes int64
	time  time.Duration
}

func newRotation(c *Config) rotation {
	r := rotation{min(maxSegmentBytes, c.RetentionBytes/segmentsOfRetention), maxSegmentTime}
	if c.MaxSegmentTime > 0 {
		r.time = min(r.time, c.MaxSegmentTime)
	}
	return r
}

// isDue reports whether a scrape with this time, in unix milliseconds, needs another segment.
func (r rotation) isDue(current *SegmentInfo, at int64) bool {
	if current.LastNumber == 0 {
		return false
	}
	return current.Size >= r.bytes ||
		at-current.MinTime >= r.time.Milliseconds() ||
		current.MaxTime-at > maxStepBack.Milliseconds()
}
