package modes

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fodc/actors"
	"fodc/messages"

	"go.uber.org/zap"
)

// Deadlines. A stop may take 2 s in all.
const (
	// requestsGrace is how long requests under way may go on before their
	// collections are ended.
	requestsGrace = 800 * time.Millisecond
	// stopTimeout bounds the whole stop.
	stopTimeout = 1800 * time.Millisecond
	// agentHTTPTimeout bounds a request to an agent, and its answer.
	agentHTTPTimeout = 10 * time.Second
)

// mode is a running part of the process: a proxy, an agent.
type mode interface {
	// failed delivers the error of a server that has ended by itself.
	failed() <-chan error
	// stop ends everything that the mode has started, in order. When ctx ends first,
	// what is left is cut, and the error names it.
	stop(ctx context.Context) error
}

// await runs the modes until ctx ends or something fails, and stops them, in the
// order given. It returns nil for a clean stop after the end of ctx.
func await(ctx context.Context, sys *actors.System, log *zap.Logger, running ...mode) error {
	failure := awaitFailure(ctx, sys, running)
	log.Info("stopping")
	begin := time.Now()
	stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	var stopErr error
	for _, m := range running {
		stopErr = errors.Join(stopErr, m.stop(stopCtx))
	}
	if stopErr != nil {
		log.Warn("not everything stopped in time", zap.Error(stopErr), zap.Any("actors", outline(sys.Tree().Actors)))
	}
	sys.Shutdown()
	log.Info("stopped", zap.Duration("took", time.Since(begin)))
	return failure
}

// awaitFailure returns nil when ctx ends, or the first failure.
func awaitFailure(ctx context.Context, sys *actors.System, running []mode) error {
	failures := make(chan error, len(running))
	done := make(chan struct{})
	defer close(done)
	for _, m := range running {
		go func() {
			select {
			case err := <-m.failed():
				failures <- err
			case <-done:
			}
		}()
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-sys.Fatal():
		return err
	case err := <-failures:
		return err
	}
}

// outline returns a line for each actor: who it is, and what it does.
func outline(nodes []messages.ActorNode) []string {
	var lines []string
	for _, n := range nodes {
		lines = append(lines, fmt.Sprintf("%s %s, %d waiting, busy with %q for %.1f s", n.ID, n.State, n.Mailbox, n.Busy, n.BusySeconds))
		lines = append(lines, outline(n.Children)...)
	}
	return lines
}
