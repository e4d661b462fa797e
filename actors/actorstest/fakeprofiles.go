package actorstest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// FakeProfile is what a FakeDatabase has under /debug/pprof/ and the profile's name.
type FakeProfile struct {
	// Body is what is sent, again and again up to Size bytes if that is more.
	Body []byte
	Size int64
	// Status is 200 unless it is set.
	Status int
	// Delay is before the first byte, and Stall after Body was sent once; below 0 they last as long as
	// the client waits.
	Delay, Stall time.Duration
	// Announced is the Content-Length if it is above 0. A body that is shorter is cut off.
	Announced int64
}

// SetProfile says what the profile is from now on: "heap", "goroutine".
func (d *FakeDatabase) SetProfile(name string, p FakeProfile) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.profiles[name] = p
}

// Requests are the paths, with queries, that were asked for on the port of profiles.
func (d *FakeDatabase) Requests() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.requests)
}

// ServeHTTP serves the profiles.
func (d *FakeDatabase) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	d.requests = append(d.requests, r.URL.RequestURI())
	p, ok := d.profiles[strings.TrimPrefix(r.URL.Path, "/debug/pprof/")]
	d.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	if pause(r.Context(), p.Delay) != nil {
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	if p.Announced > 0 {
		w.Header().Set("Content-Length", fmt.Sprint(p.Announced))
	}
	if p.Status != 0 {
		w.WriteHeader(p.Status)
	}
	_, err := w.Write(p.Body)
	if err == nil && p.Stall != 0 {
		_ = http.NewResponseController(w).Flush()
		err = pause(r.Context(), p.Stall)
	}
	for sent := int64(len(p.Body)); err == nil && len(p.Body) > 0 && sent < p.Size; sent += int64(len(p.Body)) {
		_, err = w.Write(p.Body[:min(int64(len(p.Body)), p.Size-sent)])
	}
}
