package modes

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"
)

// A process of fodc ends when it is told to, and for no other signal: its evidence must
// survive a terminal that closes, and a signal that was meant for something else.
//
//	SIGINT, SIGTERM  stop in order; a second one (see secondSignalAfter) ends at once
//	SIGQUIT          writes all goroutines to stderr, and ends at once with exitDump
//	SIGHUP           reads files again
//	others           are ignored; SIGKILL and job control do what they always do

const (
	// exitDump is the exit code after SIGQUIT, that of every Go program.
	exitDump = 2
	// dumpTimeout bounds the writing of the goroutines.
	dumpTimeout = time.Second
	// maxDumpBytes bounds their text.
	maxDumpBytes = 64 << 20
)

// signals are the channels on which the process gets its signals.
type signals struct {
	// ending has the signals that end the process. A flood of others cannot displace them.
	ending <-chan os.Signal
	others <-chan os.Signal
}

// receiveSignals makes the process receive its signals, until it ends: those that arrive when
// nobody handles them any more, while the log is flushed, have no effect.
func receiveSignals() signals {
	// The buffer holds one of each kind even if the handler has not started yet.
	ending, others := make(chan os.Signal, 3), make(chan os.Signal, 1)
	signal.Notify(ending, syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT)
	signal.Notify(others, append(ignoredSignals(), syscall.SIGHUP)...)
	return signals{ending, others}
}

// surviveBrokenPipes makes a write to stdout or stderr fail if nobody reads the pipe any more.
// Without it the write kills the process with SIGPIPE.
func surviveBrokenPipes() { signal.Ignore(syscall.SIGPIPE) }

// untilSignal runs f with a context that SIGINT or SIGTERM ends.
func untilSignal(ctx context.Context, p Program, received signals, stderr io.Writer, f func(context.Context) error) error {
	h := &signalHandler{log: p.Log, reload: p.Reload.request, dump: func() { dumpGoroutines(stderr) }, exit: os.Exit}
	return h.watch(ctx, received, f)
}

// signalHandler acts on signals.
type signalHandler struct {
	log    *zap.Logger
	reload func()
	// dump writes the stacks of all goroutines. It returns after a bounded time.
	dump func()
	exit func(code int)

	stops stopSignals
}

// watch runs f and handles signals until it returns. Its own goroutine has ended then.
func (h *signalHandler) watch(ctx context.Context, received signals, f func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var watcher sync.WaitGroup
	done := make(chan struct{})
	defer watcher.Wait()
	defer close(done)
	watcher.Go(func() {
		for {
			select {
			case s := <-received.ending:
				h.onEnding(s, cancel)
			case s := <-received.others:
				h.onOther(s)
			case <-done:
				return
			}
		}
	})
	return f(ctx)
}

func (h *signalHandler) onEnding(s os.Signal, stop context.CancelFunc) {
	if s == syscall.SIGQUIT {
		h.log.Warn("ending at once, with all goroutines", zap.Stringer("signal", s))
		_ = h.log.Sync()
		h.dump()
		h.exit(exitDump)
		return
	}
	switch h.stops.received(time.Now()) {
	case stopInOrder:
		h.log.Info("told to stop", zap.Stringer("signal", s))
		stop()
	case ignoreCopy:
		h.log.Debug("signal ignored, since another one has just come", zap.Stringer("signal", s))
	case endAtOnce:
		h.log.Warn("ending at once, by a second signal", zap.Stringer("signal", s))
		_ = h.log.Sync()
		h.exit(exitFailure)
	}
}

func (h *signalHandler) onOther(s os.Signal) {
	if s == syscall.SIGHUP {
		h.reload()
		return
	}
	h.log.Debug("signal ignored", zap.Stringer("signal", s))
}

// dumpGoroutines writes the stacks of all goroutines, as Go does at SIGQUIT. It does not rely
// on Go, whose write would block for ever, with the process frozen, if nobody reads the pipe.
func dumpGoroutines(w io.Writer) {
	text := make([]byte, 1<<20)
	for {
		n := runtime.Stack(text, true)
		if n < len(text) || len(text) >= maxDumpBytes {
			text = text[:n]
			break
		}
		text = make([]byte, 2*len(text))
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		fmt.Fprintf(w, "SIGQUIT: quit\n\n%s\n", text)
	}()
	select {
	case <-written:
	case <-time.After(dumpTimeout):
	}
}
