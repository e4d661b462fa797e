package agent

import (
	"context"
	"errors"
	"math"

	"fodc/actors"
	"fodc/messages"
)

// Latest returns what the selection wants of the recorder. With a journal that keeps up, it is
// on disk when Latest returns: what was shown survives the process.
func (a *Agent) Latest(ctx context.Context, sel messages.Selection) ([]messages.Block, error) {
	taken, err := actors.Ask[snapshotTaken](ctx, a.sys, a.recorder, read{selection: sel})
	if err != nil {
		return nil, unavailable(err)
	}
	a.awaitWritten(ctx, taken.newest)
	return taken.snapshot.Next(math.MaxInt), nil
}

// unavailable returns the error for a client if an actor is gone, else err.
func unavailable(err error) error {
	if errors.Is(err, actors.ErrGone) {
		return messages.Errorf(messages.ErrUnavailable, "the agent is stopping, or recovers from a failure: try again in a second")
	}
	return err
}
