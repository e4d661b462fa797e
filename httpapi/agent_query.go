package httpapi

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"fodc/messages"
)

// PagesAhead is that of ProxyAPI: the agent's page goes before its queries.
func (a *AgentAPI) PagesAhead() <-chan struct{} { return a.pages.ahead() }

// CollectForQuery reads what the agent has for a query of PromQL: see promstore.Collect. It waits
// until the query's deadline for the memory that other queries have taken.
func (a *AgentAPI) CollectForQuery(ctx context.Context, q messages.Query) (*messages.Collection, func(), error) {
	if identity := a.Identity(); !q.Filter.Selects(&identity) {
		return &messages.Collection{}, nil, nil
	}
	ctx, cancel := context.WithDeadline(ctx, q.Deadline)
	defer cancel()
	return retried(ctx, a.Ready, func() (*messages.Collection, func(), error) { return a.readOnce(ctx, q) })
}

func (a *AgentAPI) readOnce(ctx context.Context, q messages.Query) (*messages.Collection, func(), error) {
	ctx, cancel := context.WithDeadline(ctx, answersDue(q, time.Now(), agentTimeout))
	defer cancel()
	reserved := &reservation{of: &a.memory, limit: a.MaxQueryBytes}
	answer, err := a.Read(ctx, q.Selection, reserved.reserve)
	if err != nil {
		reserved.release()
		if errors.Is(err, context.DeadlineExceeded) {
			err = messages.Errorf(messages.ErrTimeout, "the recorder did not answer in time")
		}
		return nil, nil, err
	}
	answer.Identity, answer.AgentVersion = a.Identity(), a.Version
	return &messages.Collection{Nodes: []messages.NodeAnswer{answer}}, reserved.release, nil
}

// reservation is the part of the memory of all queries that one of them has reserved, in bytes.
type reservation struct {
	of           *atomic.Int64
	bytes, limit int64
}

// reserve reserves more. The error is of the kind too_large if the query alone is over the limit, and
// unavailable if it is so together with others.
func (t *reservation) reserve(more int64) error {
	all := t.of.Add(more)
	t.bytes += more
	switch {
	case all <= t.limit:
		return nil
	case t.bytes > t.limit:
		return messages.Errorf(messages.ErrTooLarge,
			"what the query needs takes more than %d MiB, as much as the queries of an agent may take: ask for fewer series, or a shorter time", t.limit>>20)
	default:
		return messages.Errorf(messages.ErrUnavailable,
			"what the queries of the agent need takes more than %d MiB together: try again in a second", t.limit>>20)
	}
}

// release is called once.
func (t *reservation) release() { t.of.Add(-t.bytes) }
