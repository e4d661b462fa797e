package simulation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// sampleName is the family that tells when its sample was fetched, in unix
// milliseconds, from which node and by which process. wideName has wideSeries of the
// same samples, with labels of wideBytes.
const (
	sampleName = "sim_time"
	wideName   = "sim_wide"
	wideSeries = 400
	wideBytes  = 1000
)

// garbage is lines without a sample.
const garbage = "<html>\n{{{ 1 2 3\n\x00\xff 7\n# TYPE\n"

var errNoPage = errors.New("the node gives no page")

// page is the state of a node's endpoint.
type page struct {
	does  verb // empty: it is good
	takes time.Duration
}

// scrape is a request to a node's endpoint, and its outcome.
type scrape struct {
	at    time.Time // its samples'
	done  time.Time // zero: it is under way
	whole bool      // there was a page, with all samples
}

func (p *process) fetch(ctx context.Context, _ string) ([]byte, string, error) {
	now := time.Now()
	p.w.mu.Lock()
	how := p.node.page
	p.w.mu.Unlock()
	p.mu.Lock()
	p.scrapes = append(p.scrapes, scrape{at: now.Truncate(time.Millisecond)})
	mine := len(p.scrapes) - 1
	p.mu.Unlock()
	body, err := p.page(ctx, how, now)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.scrapes[mine].done, p.scrapes[mine].whole = time.Now(), err == nil && how.does != spoilPage
	return body, "text/plain; version=0.0.4", err
}

func (p *process) page(ctx context.Context, how page, now time.Time) ([]byte, error) {
	switch how.does {
	case failPage:
		return nil, errNoPage
	case spoilPage:
		return []byte(garbage), nil
	case slowPage:
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(how.takes):
		}
	}
	var body []byte
	if how.does == mixPage {
		body = append(body, garbage...)
	}
	body = fmt.Appendf(body, "# TYPE %[1]s gauge\n%[1]s{sim_node=%[2]q,sim_process=\"%[3]d\"} %[4]d\n",
		sampleName, p.node.id, p.number, now.UnixMilli())
	if p.w.plan.wide && p.node == p.w.nodes[0] {
		body = fmt.Appendf(body, "# TYPE %s gauge\n", wideName)
		padding := strings.Repeat("x", wideBytes)
		for i := range wideSeries {
			body = fmt.Appendf(body, "%s{sim_node=%q,sim_part=\"%d%s\"} %d\n", wideName, p.node.id, i, padding, now.UnixMilli())
		}
	}
	return body, nil
}

// expected is what a process may answer.
type expected struct {
	must, may []time.Time
	none      bool // it may have nothing
}

// expected returns which samples must be, and may be, in the answer of a process that
// was asked at earliest or later.
func (p *process) expected(r *request, earliest time.Time) expected {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.isRange {
		return expectedOf(p.scrapes, r.query.Selection.Window.Start, r.query.Selection.Window.End, earliest)
	}
	return expectedLatest(p.scrapes, earliest)
}

func expectedOf(scrapes []scrape, from, to, earliest time.Time) (e expected) {
	const margin = scheduleTolerance + epsilon
	for _, s := range scrapes {
		if !s.whole || !from.IsZero() && s.at.Before(from.Add(-margin)) || !to.IsZero() && s.at.After(to.Add(margin)) {
			continue
		}
		e.may = append(e.may, s.at)
		inside := (from.IsZero() || s.at.After(from.Add(margin))) && (to.IsZero() || s.at.Before(to.Add(-margin)))
		if inside && s.done.Before(earliest) {
			e.must = append(e.must, s.at)
		}
	}
	e.none = len(e.must) == 0
	return e
}

// expectedLatest: of the latest, the newest scrape that was over counts, and those since
// then may take its place. One that has failed leaves nothing.
func expectedLatest(scrapes []scrape, earliest time.Time) (e expected) {
	newest := -1
	for i, s := range scrapes {
		if !s.done.IsZero() && s.done.Before(earliest) {
			newest = i
		}
	}
	e.none = newest < 0
	for _, s := range scrapes[max(newest, 0):] {
		switch {
		case s.whole:
			e.may = append(e.may, s.at)
		case !s.done.IsZero():
			e.none = true
		}
	}
	return e
}

// verifyTimes checks that the samples are those of the request. The agent got the request
// between the earliest start of a shared collection and now. All of those must be there if the
// process has answered itself.
func (w *world) verifyTimes(r *request, n *node, p *process, got []time.Time, mustHaveAll bool, wrong func(string, ...any)) {
	e := p.expected(r, r.asked.Add(-maxShareAge))
	for _, at := range got {
		if !slices.ContainsFunc(e.may, at.Equal) {
			wrong("%s has a sample of %s that was not asked for; those are %s", n.id, w.since(at), w.since(e.may...))
		}
	}
	if !r.isRange && len(got) != 1 {
		wrong("%s has samples of %s, and the latest is one", n.id, w.since(got...))
	}
	w.mu.Lock()
	mustHaveAll = mustHaveAll && (p.disk == nil || p.ended.IsZero())
	w.mu.Unlock()
	if !mustHaveAll {
		return
	}
	for _, at := range e.must {
		if !slices.ContainsFunc(got, at.Equal) {
			wrong("%s has no sample of %s, but of %s", n.id, w.since(at), w.since(got...))
		}
	}
}

// mayBeEmpty tells whether a process of the node may have had nothing to answer with.
func (w *world) mayBeEmpty(r *request, n *node) bool {
	w.mu.Lock()
	started := slices.Clone(w.started)
	w.mu.Unlock()
	return slices.ContainsFunc(started, func(p *process) bool {
		return p.node == n && p.expected(r, r.asked.Add(-maxShareAge)).none
	})
}
