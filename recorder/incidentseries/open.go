package incidentseries

import (
	"context"
	"strings"
	"sync"
	"time"

	"fodc/recorder/blocks"
)

// opening opens blocks by their directories.
type opening func(dirs []string) (*blocks.Reader, []blocks.Damaged, int)

func openBlocks(dirs []string) (*blocks.Reader, []blocks.Damaged, int) {
	return blocks.OpenBlocks(dirs, maxIncidentBlocks)
}

// openIncidents has incidents open for queries, and for a while afterwards.
type openIncidents struct {
	open opening

	mu    sync.Mutex
	state openState
	files map[*openEntry]*openIncident
}

// openIncident is an incident that is open. The fields below ready are set when that is closed.
type openIncident struct {
	entry   *openEntry
	ready   chan struct{}
	reader  *blocks.Reader
	damaged []blocks.Damaged
	// leftOut counts the blocks that are over maxIncidentBlocks.
	leftOut int
}

func newOpenIncidents(open opening) *openIncidents {
	return &openIncidents{open: open, state: openState{most: maxOpenBlocks, byID: map[string]*openEntry{}}, files: map[*openEntry]*openIncident{}}
}

// take returns the incident with its blocks open. A disk may take any time for that: the wait ends with the context.
func (o *openIncidents) take(ctx context.Context, id string, dirs []string) (*openIncident, error) {
	version := strings.Join(dirs, "\n")
	for {
		o.mu.Lock()
		e, isNew, evict, err := o.state.take(id, version, min(len(dirs), maxIncidentBlocks))
		if evict != nil {
			closing := o.files[evict]
			o.mu.Unlock()
			if err := wait(ctx, o.close(closing)); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			o.mu.Unlock()
			return nil, err
		}
		if isNew {
			o.files[e] = &openIncident{entry: e, ready: make(chan struct{})}
		}
		of := o.files[e]
		o.mu.Unlock()
		if isNew {
			go func() {
				of.reader, of.damaged, of.leftOut = o.open(dirs)
				close(of.ready)
			}()
		}
		if err := wait(ctx, of.ready); err != nil {
			o.leave(of)
			return nil, err
		}
		return of, nil
	}
}

func wait(ctx context.Context, until <-chan struct{}) error {
	select {
	case <-until:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// leave is called once for each take.
func (o *openIncidents) leave(of *openIncident) {
	o.mu.Lock()
	closes := o.state.leave(of.entry, time.Now())
	isIdle := of.entry.users == 0
	o.mu.Unlock()
	switch {
	case closes:
		o.close(of)
	case isIdle:
		time.AfterFunc(keepOpen, o.closeIdle)
	}
}

func (o *openIncidents) closeIdle() {
	o.mu.Lock()
	var all []*openIncident
	for _, e := range o.state.idle(time.Now()) {
		all = append(all, o.files[e])
	}
	o.mu.Unlock()
	for _, of := range all {
		o.close(of)
	}
}

// close closes the files of an incident that nobody uses. What it returns is closed when they are.
func (o *openIncidents) close(of *openIncident) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-of.ready
		_ = of.reader.Close() // Nothing was written.
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.files, of.entry)
		o.state.closed(of.entry)
	}()
	return done
}
