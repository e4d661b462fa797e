package agent

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"fodc/actors"
	"fodc/actors/agent/telemetry"
	"fodc/actors/agent/telemetry/kernel"
	"fodc/recorder"

	"github.com/prometheus/procfs"
	"go.uber.org/zap"
)

// Tracer tells what the kernel does to the node's process, as kernel.Tracer does.
type Tracer interface {
	// Follow makes the process the node's: from then on its exit and the signals that it is sent are among the events. Where nothing
	// runs, its error is kernel.ErrNothingRuns.
	Follow(pid int) error
	// Next waits for an event. When the context ends, it returns its error. After an error it is not called again.
	Next(ctx context.Context) (kernel.Event, error)
}

// KernelEventsConfig says of which process the agent notices how it ends.
type KernelEventsConfig struct {
	// NodePIDFile and NodeProcess say which process is the node, as in package telemetry. One of them is given.
	NodePIDFile, NodeProcess string
	// Tracer tells who has sent signals, and of memory kills; nil: that of the agent, and if it has none, only exits are noticed.
	Tracer Tracer

	// find finds the node's process; nil: there is none. wait waits for its end. They may hang. nil is the real thing: tests put
	// their own world in its place.
	find func() *nodeProcess
	wait func(ctx context.Context, p nodeProcess) (kernel.Event, error)
}

// Messages to the actor, from its goroutines.
type (
	processFound    struct{ process *nodeProcess }
	processFollowed struct {
		process nodeProcess
		err     error
	}
	processExited struct {
		process nodeProcess
		event   kernel.Event
		err     error
	}
	eventTraced  struct{ event kernel.Event }
	tracerFailed struct{ err error }
)

// kernelEvents follows the node's process, and tells the recorder and the incidents how it ends. After a panic it goes on with the
// same state.
type kernelEvents struct {
	sys                          *actors.System
	log                          *zap.Logger
	cfg                          KernelEventsConfig
	recorder, incidents, crashes *actors.PID // incidents and crashes may be nil
	state                        *kernelEventsState
	// shown is what metrics show of the state.
	shown *atomic.Pointer[kernelCounts]

	timer  actors.Timer
	ctx    context.Context
	cancel context.CancelCauseFunc
	// unwatch ends the wait for the process that was watched last.
	unwatch context.CancelCauseFunc
}

// startKernelEvents starts the actor, if the node's process is known, and adds its metrics to the configuration.
func (a *Agent) startKernelEvents(cfg *Config) {
	if cfg.KernelEvents == nil {
		return
	}
	k := *cfg.KernelEvents
	if k.Tracer == nil && cfg.Kernel != nil {
		k.Tracer = cfg.Kernel
	}
	if k.find == nil {
		if telemetry.Supported() != nil {
			return // The log says of the host's telemetry that there is none.
		}
		k.find = newProcessFinder(k.NodePIDFile, k.NodeProcess)
	}
	if k.wait == nil {
		k.wait = func(ctx context.Context, p nodeProcess) (kernel.Event, error) {
			return kernel.WaitExit(ctx, p.pid, p.started)
		}
	}
	state := newKernelEventsState(time.Now())
	shown := &atomic.Pointer[kernelCounts]{}
	shown.Store(state.counts.clone())
	actor := &kernelEvents{sys: a.sys, log: a.sys.Log(), cfg: k, recorder: a.recorder, incidents: a.incidents, crashes: a.crashes,
		state: state, shown: shown, unwatch: func(error) {}}
	a.events = a.sys.Spawn("kernelevents", actors.ResumeOnFailure(), func() actors.Actor { return actor })
	cfg.more = append(cfg.more, func() []recorder.Sample { return kernelEventSamples(shown.Load()) })
}

// newProcessFinder returns a function that finds the node's process. It is not called by two goroutines at once.
func newProcessFinder(pidFile, name string) func() *nodeProcess {
	finder := telemetry.NewFinder(pidFile, name)
	return func() *nodeProcess {
		fs, err := procfs.NewDefaultFS()
		if err != nil {
			return nil
		}
		p, stat, err := finder.Find(fs)
		if err != nil { // The host's telemetry says why.
			return nil
		}
		return &nodeProcess{p.PID, stat.Starttime, stat.Comm}
	}
}

func (k *kernelEvents) Receive(c actors.Context) {
	now := time.Now()
	switch m := c.Message().(type) {
	case *actors.Started:
		k.ctx, k.cancel = context.WithCancelCause(context.Background())
		if k.cfg.Tracer != nil {
			go k.trace(newSender(k.ctx, k.sys, c))
		}
		k.do(c, k.state.due(now), now)
	case *actors.Stopping, *actors.Restarting:
		k.timer.Disarm()
		k.cancel(errStopped)
	case *actors.Stopped:
	case actors.Tick:
		if k.timer.Fired(m) {
			k.do(c, k.state.due(now), now)
		}
	case processFound:
		k.do(c, k.state.found(m.process, now), now)
	case processFollowed:
		k.do(c, k.state.following(m.process, causeOf(m.err), now), now)
	case processExited:
		switch {
		case m.err == nil:
			k.do(c, k.state.exited(m.process, m.event, now), now)
		case errors.Is(m.err, kernel.ErrNoProcess):
			k.do(c, k.state.notWatched(m.process, "", now), now)
		default:
			k.do(c, k.state.notWatched(m.process, shortCause(m.err), now), now)
		}
	case eventTraced:
		k.do(c, k.state.traced(m.event, now), now)
	case tracerFailed:
		k.do(c, k.state.tracerEnded(shortCause(m.err)), now)
	default:
		unknownMessage(k.log, m)
	}
}

func (k *kernelEvents) do(c actors.Context, effects []kernelEffect, now time.Time) {
	self := newSender(k.ctx, k.sys, c)
	for _, e := range effects {
		switch e := e.(type) {
		case findProcess:
			go k.find(self)
		case watchProcess:
			k.unwatch(nil)
			var of context.Context
			of, k.unwatch = context.WithCancelCause(k.ctx)
			go k.follow(self, e.process)
			go k.watch(of, self, e.process)
		case recordEvent:
			k.sys.Send(k.recorder, addEvent(e))
			k.tell(k.incidents, processEvent(e))
		case openDeath:
			k.tell(k.incidents, processDied(e))
		case tellCrash:
			k.tell(k.crashes, processCrashed(e))
		case logKernelEvent:
			writeEntry(k.log, e.logEntry)
		}
	}
	if at := k.state.nextDue(); at.IsZero() {
		k.timer.Disarm()
	} else {
		k.timer.Arm(c, max(at.Sub(now), 0))
	}
	k.shown.Store(k.state.counts.clone())
}

// tell sends a message to an actor, if it exists.
func (k *kernelEvents) tell(to *actors.PID, m any) {
	if to != nil {
		k.sys.Send(to, m)
	}
}

func (k *kernelEvents) find(self sender) {
	var m processFound
	_ = recovered(k.log, "looking for the node's process", func() error {
		m.process = k.cfg.find()
		return nil
	})
	self.send(m)
}

// follow has the tracer follow the process. That waits until its programs are loaded.
func (k *kernelEvents) follow(self sender, p nodeProcess) {
	if k.cfg.Tracer == nil {
		return
	}
	err := recovered(k.log, "following the node's process", func() error { return k.cfg.Tracer.Follow(p.pid) })
	if !errors.Is(err, kernel.ErrNothingRuns) { // The log has said why once.
		self.send(processFollowed{p, err})
	}
}

// watch waits for the end of the process.
func (k *kernelEvents) watch(ctx context.Context, self sender, p nodeProcess) {
	m := processExited{process: p}
	m.err = recovered(k.log, "waiting for the end of the node's process", func() (err error) {
		m.event, err = k.cfg.wait(ctx, p)
		return err
	})
	self.send(m)
}

// trace sends the tracer's events, until it fails or the actor is stopped.
func (k *kernelEvents) trace(self sender) {
	for {
		var m eventTraced
		err := recovered(k.log, "reading the kernel's events", func() (err error) {
			m.event, err = k.cfg.Tracer.Next(self.ctx)
			return err
		})
		if err != nil {
			self.send(tracerFailed{err})
			return
		}
		self.send(m)
	}
}
