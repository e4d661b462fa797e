package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"fodc/actors"
	"fodc/actors/agent/capture"
	"fodc/actors/agent/nodeconfig"
	"fodc/actors/agent/pressure"
	"fodc/messages"
	"fodc/recorder"

	"go.uber.org/zap"
)

// PressureConfig says when the node's profiles are captured, and where they are kept.
type PressureConfig struct {
	// Store is the directory, and its limits.
	Store pressure.Config
	// TriggerPercent of the node's memory limit is when, 1 to 100. Cooldown is the least time between
	// two captures.
	TriggerPercent uint32
	Cooldown       time.Duration
	// Endpoint is the URL of the server that has the node's profiles; empty: it is at PprofPort, on loopback.
	Endpoint  string
	PprofPort int
	// NodePIDFile and NodeProcess say which process is the node, as in package telemetry. With
	// neither, it is the process that listens at the port.
	NodePIDFile, NodeProcess string

	// memory reads the node's memory within ctx, fetch gets a profile; nil is the real thing. Tests put
	// their own world in its place.
	memory func(ctx context.Context) (nodeMemory, error)
	fetch  func(ctx context.Context, p capture.Profile, w io.Writer) error
}

// turnTimeout is how long a profile waits for other captures of the node, such as those of an incident.
const turnTimeout = 30 * time.Second

// endpoint is the URL of the server that has the node's profiles.
func (c *PressureConfig) endpoint() string {
	return cmp.Or(c.Endpoint, "http://"+net.JoinHostPort("127.0.0.1", strconv.Itoa(c.PprofPort)))
}

// Messages to the actor of the pressure profiler, from its goroutines.
type (
	// memoryRead is a reading of the node's memory.
	memoryRead struct {
		memory nodeMemory
		err    error
	}
	// storeOpened says whether the directory is usable.
	storeOpened struct {
		usage pressure.Usage
		err   error
	}
	captureDone struct{ outcome captureOutcome }
)

// pressureProfiler captures the node's profiles while the node is short of memory. After a panic
// it goes on with the same state, and so with its cool-down.
type pressureProfiler struct {
	sys   *actors.System
	log   *zap.Logger
	cfg   PressureConfig
	store *pressure.Store
	state *pressureState
	// shown is what metrics show of the state.
	shown *atomic.Pointer[pressureStatus]

	due    actors.Timer
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// startPressure starts the pressure profiler, if there is to be one. It adds to the configuration what
// shows its metrics, and what answers proxies' questions for its profiles.
func (a *Agent) startPressure(cfg *Config) {
	if cfg.Pressure == nil {
		return
	}
	p := *cfg.Pressure
	if p.memory == nil {
		p.memory = newMemoryReader(a.sys, a.recorder, nodeconfig.Config{PIDFile: p.NodePIDFile, Process: p.NodeProcess, Endpoints: []string{p.endpoint()}}).read
	}
	if p.fetch == nil {
		client := capture.NewClient()
		p.fetch = func(ctx context.Context, profile capture.Profile, w io.Writer) error {
			wait, cancel := context.WithTimeout(ctx, turnTimeout)
			defer cancel()
			if err := a.turn.Take(wait); err != nil {
				return err
			}
			defer a.turn.Give()
			_, err := client.Get(ctx, p.endpoint()+profile.Path, profile.Content, profile.Limits, w)
			return err
		}
	}
	store := pressure.NewStore(p.Store)
	state := newPressureState(cfg.ScrapeInterval, p.Cooldown, p.TriggerPercent, cfg.NodeOptional)
	shown := &atomic.Pointer[pressureStatus]{}
	shown.Store(state.status())
	a.pressure = a.sys.Spawn("pressure", actors.ResumeOnFailure(), func() actors.Actor {
		return &pressureProfiler{sys: a.sys, log: a.sys.Log(), cfg: p, store: store, state: state, shown: shown}
	})
	cfg.more = append(cfg.more, func() []recorder.Sample { return pressureSamples(shown.Load()) })
	cfg.Sources = withSource(cfg.Sources, messages.StreamProfiles, newPressureSource(a.sys.Log(), store))
}

// withSource returns the sources with one more.
func withSource(all map[messages.Stream]Source, of messages.Stream, source Source) map[messages.Stream]Source {
	all = maps.Clone(all)
	if all == nil {
		all = map[messages.Stream]Source{}
	}
	all[of] = source
	return all
}

func (p *pressureProfiler) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started:
		p.ctx, p.cancel = context.WithCancelCause(context.Background())
		p.do(c, p.state.due(time.Now()))
	case *actors.Stopping, *actors.Restarting:
		p.due.Disarm()
		p.cancel(errStopped)
		go p.store.Close() // It waits for what is being written.
	case *actors.Stopped:
	case actors.Tick:
		if p.due.Fired(m) {
			p.do(c, p.state.due(time.Now()))
		}
	case memoryRead:
		p.do(c, p.state.read(m.memory, causeOf(m.err), time.Now()))
	case storeOpened:
		p.do(c, p.state.open(usageOf(m.usage), causeOf(m.err), time.Now()))
	case captureDone:
		p.do(c, p.state.captureEnded(m.outcome, time.Now()))
	default:
		unknownMessage(p.log, m)
	}
}

func (p *pressureProfiler) do(c actors.Context, effects []pressureEffect) {
	self := newSender(p.ctx, p.sys, c)
	for _, e := range effects {
		switch e := e.(type) {
		case armPressure:
			p.due.Arm(c, e.after)
		case startOpen:
			go func() {
				var m storeOpened
				m.err = recovered(p.log, "opening the directory of profiles", func() (err error) {
					m.usage, err = p.store.Open()
					return err
				})
				self.send(m)
			}()
		case startMemoryRead:
			go func() {
				ctx, cancel := context.WithTimeout(self.ctx, memoryTimeout)
				defer cancel()
				var m memoryRead
				m.err = recovered(p.log, "reading the node's memory", func() (err error) {
					m.memory, err = p.cfg.memory(ctx)
					return err
				})
				self.send(m)
			}()
		case startCapture:
			go func() { self.send(captureDone{p.capture(e)}) }()
		case logPressure:
			writeEntry(p.log, e.logEntry)
		}
	}
	p.shown.Store(p.state.status())
}

// capture captures the node's profiles. It takes as long as the node and the disk do.
func (p *pressureProfiler) capture(why startCapture) (o captureOutcome) {
	defer func() {
		if reason := recover(); reason != nil {
			p.log.Error("the capture of profiles panicked", zap.Any("panic", reason), zap.Stack("stack"))
			o = captureOutcome{result: captureFailed, cause: fmt.Sprintf("panic: %.200v", reason)}
		}
	}()
	var profiles []pressure.Profile
	for _, profile := range []capture.Profile{capture.Heap(), capture.Goroutine()} {
		profiles = append(profiles, pressure.Profile{Type: profile.Type, Filename: profile.Filename, Format: profile.Format,
			Fetch: func(ctx context.Context, w io.Writer) error { return p.cfg.fetch(ctx, profile, w) }})
	}
	done, err := p.store.Capture(p.ctx, pressure.Event{At: time.Now(), SourceEndpoint: p.cfg.endpoint(), RSSBytes: why.memory.resident,
		LimitBytes: why.memory.limit, TriggerPercent: p.cfg.TriggerPercent, ThresholdBytes: why.threshold}, profiles)
	return outcomeOf(done, err)
}

func outcomeOf(done pressure.Captured, err error) captureOutcome {
	usage := usageOf(done.Usage)
	o := captureOutcome{result: captureWhole, id: done.Profile.ID, evicted: done.Evicted, usage: &usage}
	switch {
	case errors.Is(err, pressure.ErrDisk):
		o.result, o.usage = captureDisk, nil
	case errors.Is(err, pressure.ErrNoRoom):
		o.result = captureNoRoom
	case err != nil:
		o.result = captureFailed
	case done.Missing != nil:
		o.result, err = capturePartial, done.Missing
	}
	o.cause = causeOf(err)
	return o
}

func usageOf(u pressure.Usage) pressureUsage { return pressureUsage{u.Artifacts, u.Bytes, u.Ignored} }

// causeOf returns an error for the log, empty for nil.
func causeOf(err error) string {
	if err == nil {
		return ""
	}
	return shortCause(err)
}
