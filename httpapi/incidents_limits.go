package httpapi

import (
	"context"
	"sync"

	"fodc/messages"
)

// What requests for incidents may take at the same time. What is over it is answered with 503.
const (
	maxBundles = 4
	maxFiles   = 16
	maxChanges = 2 // Others wait.
	maxActions = 16
	// maxIncidentResponses bounds the documents that are being written, in bytes. One that is alone may have any size.
	maxIncidentResponses = 64 << 20
)

// incidentLimits counts what is under way.
type incidentLimits struct {
	bundles, files, changes, actions chan struct{}

	mu    *sync.Mutex
	bytes *int
}

func newIncidentLimits() incidentLimits {
	return incidentLimits{make(chan struct{}, maxBundles), make(chan struct{}, maxFiles), make(chan struct{}, maxChanges),
		make(chan struct{}, maxActions), &sync.Mutex{}, new(int)}
}

// acquire takes a place if there is one; what says of what.
func acquire(places chan struct{}, what string) (release func(), err error) {
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	default:
		return nil, messages.Errorf(messages.ErrUnavailable, "%d %s are under way, and that is the limit: try again", cap(places), what)
	}
}

func (l incidentLimits) waitForChanges(ctx context.Context) (release func(), err error) {
	select {
	case l.changes <- struct{}{}:
		return func() { <-l.changes }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// take takes memory for a response: that of what it shows, and as much for its text.
func (l incidentLimits) take(bytes int) (release func(), err error) {
	bytes *= 2
	l.mu.Lock()
	defer l.mu.Unlock()
	if *l.bytes > 0 && *l.bytes+bytes > maxIncidentResponses {
		return nil, messages.Errorf(messages.ErrUnavailable, "the incidents that clients are reading take %d MiB of %d MiB already: try again",
			*l.bytes>>20, maxIncidentResponses>>20)
	}
	*l.bytes += bytes
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		*l.bytes -= bytes
	}, nil
}
