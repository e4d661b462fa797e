package proxy

import "time"

// Limits of how often a connection may open streams. An agent opens a dozen when it registers, and then
// one now and then, when one has broken.
const (
	streamBurst      = 300
	streamsPerMinute = 600
)

// streamRate is the token bucket of a connection's streams: to open them, and to end them at once, costs the
// peer less than the proxy.
type streamRate struct {
	bucket tokenBucket
	over   bool // it opened one too many
}

func newStreamRate(now time.Time) *streamRate {
	return &streamRate{bucket: tokenBucket{tokens: streamBurst, at: now}}
}

// take reports whether the connection may open one more stream, and if not, whether that is so for the first time. From
// then on it may open none.
func (r *streamRate) take(now time.Time) (may, first bool) {
	if r.over {
		return false, false
	}
	r.over = !r.bucket.take(streamBurst, streamsPerMinute, now)
	return !r.over, r.over
}
