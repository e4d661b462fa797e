package httpapi

import (
	"sync"
	"time"

	"fodc/messages"
)

// pages are those that are being collected or written, and go before queries. Each does so for
// messages.MaxPrecedence.
type pages struct {
	mu       sync.Mutex
	underWay int
	// none is closed when none is under way; nil: that is so.
	none chan struct{}
}

// begin adds a page. The caller calls end when it has been written.
func (p *pages) begin() (end func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.underWay++; p.none == nil {
		p.none = make(chan struct{})
	}
	once := sync.OnceFunc(p.ended)
	timer := time.AfterFunc(messages.MaxPrecedence, once)
	return func() {
		timer.Stop()
		once()
	}
}

func (p *pages) ended() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.underWay--; p.underWay == 0 {
		close(p.none)
		p.none = nil
	}
}

// ahead returns what is closed when no page goes before queries any more; nil: none does.
func (p *pages) ahead() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.none
}
