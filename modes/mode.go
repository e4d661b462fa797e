package modes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"fodc/actors"
	"fodc/messages"

	"go.uber.org/zap"
)

// Time limits. A stop may take 2 s in all.
const (
	// requestsGrace is how long HTTP requests may go on during a stop before their
	// collections are cancelled.
	requestsGrace = 800 * time.Millisecond
	// stopTimeout bounds the whole stop.
	stopTimeout = 1800 * time.Millisecond
	// agentHTTPTimeout bounds the reading of a request to an agent, and the writing of the
	// response.
	agentHTTPTimeout = 10 * time.Second
)

// mode is a running part of the process: a proxy or an agent.
type mode interface {
	// failed delivers the error of a server that ended without a stop.
	failed() <-chan error
	// stop ends everything that the mode has started, in order. When ctx ends first, it cuts
	// what is left, and the error names that.
	stop(ctx context.Context) error
	// status is what the service manager shows of it, in a few words.
	status() string
}

// await waits until ctx ends or a mode fails, then stops all modes in the given order. It
// returns the failure, or nil if ctx ended. The service manager, if there is one, is told.
func await(ctx context.Context, sys *actors.System, log *zap.Logger, running ...mode) error {
	manager := findServiceManager(log)
	defer manager.end()
	notWell := manager.ready(sys, statusOf(running))
	failure := awaitFailure(ctx, sys, running)
	notWell()
	log.Info("stopping")
	manager.stopping(failure)
	begin := time.Now()
	stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	var stopErr error
	for _, m := range running {
		stopErr = errors.Join(stopErr, m.stop(stopCtx))
	}
	if stopErr != nil {
		log.Warn("not everything stopped in time", zap.Error(stopErr), zap.Any("actors", actorLines(sys.Tree().Actors)))
	}
	sys.Shutdown()
	log.Info("stopped", zap.Duration("took", time.Since(begin)))
	return failure
}

func statusOf(running []mode) string {
	var all []string
	for _, m := range running {
		all = append(all, m.status())
	}
	return strings.Join(all, "; ")
}

// awaitFailure returns the first failure, or nil when ctx ends.
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

// actorLines returns a line for each actor with its state.
func actorLines(nodes []messages.ActorNode) []string {
	var lines []string
	for _, n := range nodes {
		lines = append(lines, fmt.Sprintf("%s %s, %d waiting, busy with %q for %.1f s", n.ID, n.State, n.Mailbox, n.Busy, n.BusySeconds))
		lines = append(lines, actorLines(n.Children)...)
	}
	return lines
}
