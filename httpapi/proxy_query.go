package httpapi

import (
	"context"
	"errors"
	"time"

	"fodc/messages"
)

// CollectForQuery asks the agents for a query of PromQL: see promstore.Collect. It waits for a slot
// among the queries and for room among all collections, both until the query's deadline; the error
// is of the kind timeout then. Handler must have been called.
func (a *ProxyAPI) CollectForQuery(ctx context.Context, q messages.Query) (*messages.Collection, func(), error) {
	begin := time.Now()
	q.Yields = true
	waiting, cancel := context.WithDeadline(ctx, q.Deadline)
	defer cancel()
	done, err := a.slots.acquire(waiting, isLong(q.Selection.Window, begin))
	if err != nil {
		a.metrics.collected(collectionFailed, time.Since(begin))
		return nil, nil, err
	}
	defer done()
	c, release, err := retried(waiting, a.Ready, func() (*messages.Collection, func(), error) { return a.collectOnce(ctx, q) })
	if err != nil {
		a.metrics.collected(collectionFailed, time.Since(begin))
		return nil, nil, err
	}
	result := collectionWhole
	if lacks(c) {
		result = collectionPartial
		a.metrics.missed(c)
	}
	a.metrics.collected(result, time.Since(begin))
	return c, release, nil
}

// collectOnce collects for a query, and takes the memory of the answers.
func (a *ProxyAPI) collectOnce(ctx context.Context, q messages.Query) (*messages.Collection, func(), error) {
	q.Deadline = answersDue(q, time.Now(), a.CollectTimeout)
	ctx, cancel := context.WithDeadline(ctx, q.Deadline.Add(collectGrace))
	defer cancel()
	c, err := a.Collect(ctx, q)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			err = messages.Errorf(messages.ErrTimeout, "the answers of the agents did not come in time")
		}
		return nil, nil, err
	}
	release, err := a.inFlight.acquireBytes(c, 0, a.MaxInFlightBytes)
	return c, release, err
}

// lacks reports whether a node is missing from the collection, or its answer is partial.
func lacks(c *messages.Collection) bool {
	for i := range c.Nodes {
		if c.Nodes[i].Missing != messages.MissingNone || c.Nodes[i].Partial != messages.PartialNone {
			return true
		}
	}
	return false
}
