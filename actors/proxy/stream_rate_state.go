package proxy

import "time"

// Limits of how often a connection may open streams, or send settings. An agent opens a dozen streams when it registers, and then
// one now and then, when one has broken.
const (
	streamBurst      = 300
	streamsPerMinute = 600
)

// streamRate is the token bucket of a connection's streams and settings: to open a stream, and to end it at once, costs the
// peer less than the proxy. Streams that gRPC refuses count, too: its answers wait until the peer reads them.
type streamRate struct{ bucket tokenBucket }

func newStreamRate(now time.Time) *streamRate {
	return &streamRate{tokenBucket{tokens: streamBurst, at: now}}
}

// take reports whether the connection may have so many more.
func (r *streamRate) take(n int, now time.Time) bool {
	for range n {
		if !r.bucket.take(streamBurst, streamsPerMinute, now) {
			return false
		}
	}
	return true
}
