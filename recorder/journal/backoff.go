package journal

import "time"

// The delay after a failure. It doubles with each further one.
const (
	minRetryDelay = time.Second
	maxRetryDelay = 30 * time.Second
)

// backoff decides when the disk is tried again after it has failed.
type backoff struct {
	delay time.Duration
	until time.Time
}

func (b *backoff) failed(now time.Time) {
	b.delay = min(max(2*b.delay, minRetryDelay), maxRetryDelay)
	b.until = now.Add(b.delay)
}

func (b *backoff) succeeded() { *b = backoff{} }

func (b *backoff) holds(now time.Time) bool { return now.Before(b.until) }
