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
type streamRate struct{ bucket tokenBucket }

func newStreamRate(now time.Time) *streamRate {
	return &streamRate{tokenBucket{tokens: streamBurst, at: now}}
}

// take reports whether the connection may open one more stream.
func (r *streamRate) take(now time.Time) bool {
	return r.bucket.take(streamBurst, streamsPerMinute, now)
}
