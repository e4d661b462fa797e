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
//	SIGINT, SIGTERM  stop in order; a second one ends at once
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

// untilSignal runs f with a context that SIGINT or SIGTERM ends.
func untilSignal(ctx context.Context, p Program, stderr io.Writer, f func(context.Context) error) error {
	// Two channels, so that a flood of other signals cannot displace one that ends the
	// process. The buffer holds two signals even if the goroutine has not started yet.
	ending, others := make(chan os.Signal, 2), make(chan os.Signal, 1)
	signal.Notify(ending, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(ending)
	signal.Notify(others, append(ignoredSignals(), syscall.SIGHUP, syscall.SIGQUIT)...)
	defer signal.Stop(others)
	h := &signalHandler{log: p.Log, reload: p.Reload.request, dump: func() { dumpGoroutines(stderr) }, exit: os.Exit}
	return h.watch(ctx, ending, others, f)
}

// surviveBrokenPipes makes a write to stdout or stderr fail if nobody reads the pipe any more.
// Without it the write kills the process with SIGPIPE. undo restores that.
func surviveBrokenPipes() (undo func()) {
	signal.Ignore(syscall.SIGPIPE)
	return func() { signal.Reset(syscall.SIGPIPE) }
}

// signalHandler acts on signals.
type signalHandler struct {
	log    *zap.Logger
	reload func()
	// dump writes the stacks of all goroutines. It returns after a bounded time.
	dump func()
	exit func(code int)

	stopping bool
}

// watch runs f and handles signals until it returns. Its own goroutine has ended then.
func (h *signalHandler) watch(ctx context.Context, ending, others <-chan os.Signal, f func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var watcher sync.WaitGroup
	done := make(chan struct{})
	defer watcher.Wait()
	defer close(done)
	watcher.Go(func() {
		for {
			select {
			case s := <-ending:
				h.onEnding(s, cancel)
			case s := <-others:
				h.onOther(s)
			case <-done:
				return
			}
		}
	})
	return f(ctx)
}

func (h *signalHandler) onEnding(s os.Signal, stop context.CancelFunc) {
	if !h.stopping {
		h.stopping = true
		h.log.Info("told to stop", zap.Stringer("signal", s))
		stop()
		return
	}
	h.log.Warn("ending at once, by a second signal", zap.Stringer("signal", s))
	_ = h.log.Sync()
	h.exit(exitFailure)
}

func (h *signalHandler) onOther(s os.Signal) {
	switch s {
	case syscall.SIGHUP:
		h.reload()
	case syscall.SIGQUIT:
		h.log.Warn("ending at once, with all goroutines", zap.Stringer("signal", s))
		_ = h.log.Sync()
		h.dump()
		h.exit(exitDump)
	default:
		h.log.Debug("signal ignored", zap.Stringer("signal", s))
	}
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
