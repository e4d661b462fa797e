package proxy

import (
	"time"

	"fodc/messages"
)

const (
	// saveInterval is how often one document is written at most, saveRetry how long after an error it is
	// written again.
	saveInterval = time.Second
	saveRetry    = 30 * time.Second
	// keepPatience is how long the disk may take to save a new incident until others are told of it nevertheless: a disk
	// that hangs may be what the incident is about.
	keepPatience = 2 * time.Second
)

// incidentWrite is an operation of the store.
type incidentWrite struct {
	put *messages.Incident // nil: remove
	incidentRemoval
}

// incidentRemoval is an incident to be removed; merged says that it is a part of another one now.
type incidentRemoval struct {
	remove string
	merged bool
}

// nextWrite returns the next operation of the store; nil: there is none now.
func (s *incidentsState) nextWrite(now time.Time) *incidentWrite {
	if len(s.removals) > 0 {
		next := s.removals[0]
		s.removals = s.removals[1:]
		return &incidentWrite{incidentRemoval: next}
	}
	for _, e := range s.sorted() {
		if e.dirty && !now.Before(e.saveAt) {
			return &incidentWrite{put: e.doc}
		}
	}
	return nil
}

// written records the end of an operation.
func (s *incidentsState) written(w *incidentWrite, err error, now time.Time) {
	if w.put == nil {
		return
	}
	e := s.entries[w.put.ID]
	if e != nil {
		e.kept = true
	}
	switch {
	case e == nil:
	case err != nil:
		e.saveAt = now.Add(saveRetry)
	default:
		e.dirty, e.saveAt = e.doc != w.put, now.Add(saveInterval)
	}
}

// unsaved counts the documents that are not saved.
func (s *incidentsState) unsaved() (n int) {
	for _, e := range s.entries {
		if e.dirty {
			n++
		}
	}
	return n
}

// isKept reports whether others may be told of an incident: it is there again, with that id, if the proxy is killed.
func (e *incidentEntry) isKept(now time.Time) bool { return e.kept || now.Sub(e.since) >= keepPatience }
