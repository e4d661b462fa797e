package agent

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"fodc/actors"
	"fodc/actors/agent/telemetry"
	"fodc/actors/agent/telemetry/kernel"
	"fodc/messages"
	"fodc/recorder"

	"go.uber.org/zap"
)

// hostTarget is the host, as a target of the recorder.
const hostTarget = "host"

// sourceRead is the result of reading a source.
type sourceRead struct {
	source int
	round  uint64
	result telemetry.Result
}

// readTelemetry is answered with messages.TelemetryHealth.
type readTelemetry struct{}

// hostTelemetry records the host each interval. The sources are not replaced when the actor
// restarts, so that a read that hangs is not started a second time.
type hostTelemetry struct {
	sys      *actors.System
	log      *zap.Logger
	recorder *actors.PID
	sources  []*telemetry.Source
	state    *telemetryState

	timer, deadline actors.Timer
	ctx             context.Context
	cancel          context.CancelCauseFunc
}

func newHostTelemetry(sys *actors.System, recorder *actors.PID, sources []*telemetry.Source, interval time.Duration) *hostTelemetry {
	names := make([]string, len(sources))
	for i, s := range sources {
		names[i] = s.Name()
	}
	return &hostTelemetry{sys: sys, log: sys.Log(), recorder: recorder, sources: sources, state: newTelemetryState(names, interval)}
}

// startTelemetry starts the actor that records the host each interval. On a system whose host
// cannot be read it starts none; the log says why, once, and so does the agent's health.
func (a *Agent) startTelemetry(cfg telemetry.Config, tracer *kernel.Tracer, interval time.Duration) {
	if err := cfg.Supported(); err != nil {
		a.noHost = err
		writeEntry(a.sys.Log(), logEntry{text: "host telemetry is left out", cause: err.Error()})
		return
	}
	sources := telemetry.Sources(cfg)
	if tracer != nil {
		a.kernel, sources = tracer, append(sources, tracer.Source())
		go logKernel(a.sys.Log(), tracer)
	}
	a.host = a.sys.Spawn("telemetry", restarts, func() actors.Actor {
		return newHostTelemetry(a.sys, a.recorder, sources, interval)
	})
}

// unsupportedHost is the health of telemetry on a system whose host cannot be read.
func unsupportedHost(why error) *messages.TelemetryHealth {
	return &messages.TelemetryHealth{Missing: []messages.MissingPart{{Part: hostTarget, Error: why.Error()}}}
}

func (h *hostTelemetry) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started:
		h.ctx, h.cancel = context.WithCancelCause(context.Background())
		h.onDue(c)
	case *actors.Stopping, *actors.Restarting:
		h.timer.Disarm()
		h.deadline.Disarm()
		h.cancel(errStopped)
	case *actors.Stopped:
	case actors.Tick:
		h.onTick(c, m)
	case sourceRead:
		h.onRead(c, m)
	case readTelemetry:
		actors.Reply(c, h.state.health())
	default:
		unknownMessage(h.log, m)
	}
}

func (h *hostTelemetry) onTick(c actors.Context, m actors.Tick) {
	switch {
	case h.timer.Fired(m):
		h.onDue(c)
	case h.deadline.Fired(m):
		h.giveUp(c, h.state.awaited())
	}
}

func (h *hostTelemetry) onDue(c actors.Context) {
	now := time.Now()
	round, again := h.state.due(uint64(actors.NextStreamID()), now)
	h.timer.Arm(c, again)
	if len(round.start) > 0 {
		h.deadline.Arm(c, h.state.timeout)
	}
	for _, i := range round.start {
		go readSource(newSender(h.ctx, h.sys, c), h.sources[i], i, h.state.round, now)
	}
	h.giveUp(c, round.hung)
}

// readSource reads a source once, which may block for ever, and sends the result.
func readSource(self sender, s *telemetry.Source, number int, round uint64, now time.Time) {
	self.send(sourceRead{number, round, s.Read(now)})
}

func (h *hostTelemetry) onRead(c actors.Context, m sourceRead) {
	scrape, entries := h.state.returned(m.source, m.round, readOf(m.result), time.Now())
	h.do(c, scrape, entries)
}

// giveUp stops waiting for the sources in this round.
func (h *hostTelemetry) giveUp(c actors.Context, sources []int) {
	for _, i := range sources {
		scrape, entries := h.state.lost(i, readOf(h.sources[i].Fallback()), time.Now())
		h.do(c, scrape, entries)
	}
}

// do logs the entries, and sends the scrape, if there is one, to the recorder.
func (h *hostTelemetry) do(c actors.Context, s *recorder.Scrape, entries []logEntry) {
	for _, n := range entries {
		writeEntry(h.log, n)
	}
	if s != nil {
		actors.Request(c, h.recorder, scraped{target: recorder.Target{Name: hostTarget}, scrape: *s})
	}
}

func readOf(r telemetry.Result) telemetryRead {
	read := telemetryRead{samples: r.Samples, same: r.DedupKey}
	for _, o := range r.Outcomes {
		p := telemetryPart{name: o.Part}
		if o.Err != nil {
			p.cause = shortCause(o.Err)
			p.absent = errors.Is(o.Err, fs.ErrNotExist) || errors.Is(o.Err, errors.ErrUnsupported)
		}
		read.parts = append(read.parts, p)
	}
	return read
}
