package modes

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"go.uber.org/zap"
)

// untilSignal runs f with a context that SIGINT or SIGTERM ends. A second signal
// ends the process at once, whatever f still waits for.
func untilSignal(ctx context.Context, log *zap.Logger, f func(context.Context) error) error {
	// Both signals fit in, even if nobody has looked yet.
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(signals)
	return watched(ctx, log, signals, os.Exit, f)
}

// watched is untilSignal with the signals and the exit given. It leaves no
// goroutine behind.
func watched(ctx context.Context, log *zap.Logger, signals <-chan os.Signal, exit func(code int),
	f func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var watcher sync.WaitGroup
	done := make(chan struct{})
	defer watcher.Wait()
	defer close(done)
	watcher.Go(func() {
		select {
		case s := <-signals:
			log.Info("told to stop", zap.Stringer("signal", s))
			cancel()
		case <-done:
			return
		}
		select {
		case s := <-signals:
			log.Warn("ending at once, by a second signal", zap.Stringer("signal", s))
			exit(exitFailure)
		case <-done:
		}
	})
	return f(ctx)
}
