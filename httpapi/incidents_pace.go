package httpapi

import (
	"errors"
	"net/http"
	"time"
)

const (
	// partBytes is how much a client must read within chunkTimeout.
	partBytes = 64 << 10
	// minClientRate is how much a client must read on average, in bytes a second, and clientGrace how long it may hang beside
	// that: there are few places, and one that reads next to nothing would keep its own for maxDownloadTime.
	minClientRate = 32 << 10
	clientGrace   = 30 * time.Second
)

// partWriter bounds how slowly a client reads a response. Only the time counts for which the client is waited for.
type partWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	end     time.Time
	begun   bool
	sent    int64
	waited  time.Duration
}

func newPartWriter(w http.ResponseWriter) *partWriter {
	return &partWriter{ResponseWriter: w, control: http.NewResponseController(w), end: time.Now().Add(maxDownloadTime)}
}

func (p *partWriter) Write(b []byte) (written int, err error) {
	for len(b) > 0 {
		now := time.Now()
		if err := p.control.SetWriteDeadline(p.deadline(now)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return written, err
		}
		p.begun = true
		n, err := p.ResponseWriter.Write(b[:min(len(b), partBytes)])
		p.waited += time.Since(now)
		p.sent += int64(n)
		written += n
		if err != nil {
			return written, err
		}
		b = b[n:]
	}
	return written, nil
}

// deadline is until when the next part must be read.
func (p *partWriter) deadline(now time.Time) time.Time {
	left := clientGrace + time.Duration(p.sent/minClientRate)*time.Second - p.waited
	at := now.Add(min(left, chunkTimeout))
	if at.After(p.end) {
		return p.end
	}
	return at
}
