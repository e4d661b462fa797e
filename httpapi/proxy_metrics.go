package httpapi

import (
	"context"
	"io"
	"net/http"
	"time"

	"fodc/httpapi/exposition"
	"fodc/messages"
)

const (
	// collectGrace is how long after its deadline the wait for a collection is given up.
	collectGrace = time.Second
	// countTimeout bounds the wait for the numbers of agents in the proxy's metrics.
	countTimeout = 250 * time.Millisecond
)

// serveMetrics responds with the latest samples of all nodes. The proxy's own metrics follow,
// unless the request selects nodes or families.
func (a *ProxyAPI) serveMetrics(w http.ResponseWriter, r *http.Request) error {
	p, err := paramsOf(r)
	if err != nil {
		return err
	}
	if _, err := p.choice("format", formatText); err != nil {
		return err
	}
	timestamps, err := p.flag("timestamps")
	if err != nil {
		return err
	}
	names, err := p.names()
	if err != nil {
		return err
	}
	q := messages.Query{Filter: p.filter(), Selection: messages.Selection{Names: names}}
	c, release, err := a.collectPage(w, r, p, q)
	if err != nil {
		return err
	}
	defer release()
	err = a.writeText(w, r, c, exposition.Options{Timestamps: timestamps, Newest: true})
	if err != nil || isSelective(q) {
		return err
	}
	return a.writeSelf(r.Context(), w)
}

// serveWindows responds with the samples of a window of time, as text with timestamps, as
// OpenMetrics or as JSON.
func (a *ProxyAPI) serveWindows(w http.ResponseWriter, r *http.Request) error {
	p, err := paramsOf(r)
	if err != nil {
		return err
	}
	format, err := p.format(w, r, formatText, formatJSON, formatOpenMetrics)
	if err != nil {
		return err
	}
	window, err := p.window()
	if err != nil {
		return err
	}
	names, err := p.names()
	if err != nil {
		return err
	}
	q := messages.Query{Filter: p.filter(), Selection: messages.Selection{Window: window, Names: names}}
	c, release, err := a.collectPage(w, r, p, q)
	if err != nil {
		return err
	}
	defer release()
	var conflicts exposition.Conflicts
	switch format {
	case formatJSON:
		w.Header().Set("Content-Type", contentJSON)
		conflicts, err = exposition.WriteJSON(w, c)
	case formatOpenMetrics:
		content, o := contentOpenMetrics, exposition.Options{EscapedNames: true}
		if allowsUTF8(w, r) {
			content, o.EscapedNames = contentOpenMetrics+escapingUTF8, false
		}
		w.Header().Set("Content-Type", content)
		conflicts, err = exposition.WriteOpenMetrics(w, c, o)
	default:
		return a.writeText(w, r, c, exposition.Options{Timestamps: true})
	}
	a.metrics.merged(c, conflicts)
	return err
}

// writeText writes the collection as a text page, with names that the client reads.
func (a *ProxyAPI) writeText(w http.ResponseWriter, r *http.Request, c *messages.Collection, o exposition.Options) error {
	content, names := textFor(w, r)
	o.EscapedNames = names.EscapedNames
	w.Header().Set("Content-Type", content)
	conflicts, err := exposition.WriteText(w, c, o)
	a.metrics.merged(c, conflicts)
	return err
}

// collectPage is collect for a page of all nodes. With strict=1 it is an error if there are no
// nodes: a proxy that was started just now has none yet.
func (a *ProxyAPI) collectPage(w http.ResponseWriter, r *http.Request, p params, q messages.Query) (*messages.Collection, func(), error) {
	c, release, err := a.collect(w, r, p, q)
	if err != nil || len(c.Nodes) > 0 {
		return c, release, err
	}
	strict, err := p.flag("strict")
	if err == nil && strict {
		err = messages.Errorf(messages.ErrUnavailable, "no node is registered that the request selects; /cluster lists those that are")
	}
	if err != nil {
		release()
		return nil, nil, err
	}
	return c, release, nil
}

// collect asks the agents within the request's budget. The headers X-Fodc-Missing and X-Fodc-Partial
// name the nodes that are not in the answer, or not wholly; with strict=1 they are an error. The caller calls release when the response has
// been written. Until then the page goes before queries.
func (a *ProxyAPI) collect(w http.ResponseWriter, r *http.Request, p params, q messages.Query) (_ *messages.Collection, release func(), _ error) {
	end := a.pages.begin()
	c, free, err := a.collectAnswers(w, r, p, q)
	if err != nil {
		end()
		return nil, nil, err
	}
	return c, func() {
		free()
		end()
	}, nil
}

func (a *ProxyAPI) collectAnswers(w http.ResponseWriter, r *http.Request, p params, q messages.Query) (_ *messages.Collection, release func(), _ error) {
	strict, err := p.flag("strict")
	if err != nil {
		return nil, nil, err
	}
	begin := time.Now()
	q.Deadline = begin.Add(budget(r, a.CollectTimeout))
	ctx, cancel := context.WithDeadline(r.Context(), q.Deadline.Add(collectGrace))
	defer cancel()
	c, err := a.Collect(ctx, q)
	if err != nil {
		a.metrics.collected(collectionFailed, time.Since(begin))
		return nil, nil, err
	}
	if lack := setReasons(w.Header(), c); lack != "" {
		a.metrics.collected(collectionPartial, time.Since(begin))
		a.metrics.missed(c)
		if strict {
			return nil, nil, messages.Errorf(messages.ErrUnavailable, "%s", lack)
		}
	} else {
		a.metrics.collected(collectionWhole, time.Since(begin))
	}
	release, err = a.inFlight.acquire(c, a.MaxInFlightBytes)
	return c, release, err
}

// isSelective reports whether the query asks for less than everything.
func isSelective(q messages.Query) bool {
	return len(q.Filter.NodeIDs)+len(q.Filter.Roles)+len(q.Filter.PodNames)+len(q.Selection.Names) > 0
}

func (a *ProxyAPI) serveSelf(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", contentText)
	return a.writeSelf(r.Context(), w)
}

// writeSelf writes the proxy's own metrics. If the registry does not answer within countTimeout
// the numbers of agents are NaN.
func (a *ProxyAPI) writeSelf(ctx context.Context, w io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	e := metricSources{actors: a.Counts, proxy: a.ProxyCounts, process: a.Process, schema: a.Consistency, logLinesDropped: a.LogLinesDropped, files: a.Files,
		connectionsClosed: a.ConnectionsClosed, refused: Refusals(a.Access)}
	if cluster, err := a.Cluster(ctx, messages.NodeFilter{}); err == nil {
		e.cluster = &cluster
	}
	return a.metrics.write(w, e)
}
