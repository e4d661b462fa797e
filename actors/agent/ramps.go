package agent

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"fodc/actors"
	"fodc/actors/agent/capture"
	"fodc/actors/agent/nodeconfig"
	"fodc/actors/agent/ramps"
	"fodc/recorder"

	"go.uber.org/zap"
)

// RampConfig says where profiles are kept that are captured while the node's memory grows.
type RampConfig struct {
	Store ramps.Config
	// Endpoint is the URL of the server that has the node's profiles; empty: port 6060 of the hosts of the node's
	// metrics, if something answers there.
	Endpoint string
	// NodePIDFile and NodeProcess say which process is the node, as in package telemetry. With
	// neither, it is the process that listens at an endpoint of the metrics.
	NodePIDFile, NodeProcess string

	// memory reads the node's memory within ctx, steps says what is captured; nil is the real thing. Tests put their
	// own world in its place.
	memory func(ctx context.Context) (nodeMemory, error)
	steps  func() []capture.Step
}

// Messages to the actor, from its goroutines.
type (
	rampMemoryRead struct{ memory *nodeMemory }
	rampCaptured   struct {
		result captureResult
		cause  string
	}
)

// rampProfiler captures profiles while the node's memory grows. After a panic it goes on with the same state.
type rampProfiler struct {
	sys   *actors.System
	log   *zap.Logger
	cfg   RampConfig
	store *ramps.Store
	turn  capture.Turn
	state *rampState
	shown *atomic.Pointer[rampStatus]

	due    actors.Timer
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// startRamps starts the actor, if there is to be one. Incidents take what it has captured from the store.
func (a *Agent) startRamps(cfg *Config) {
	if cfg.Ramps == nil {
		return
	}
	r := *cfg.Ramps
	var metrics []string
	for _, t := range cfg.Targets {
		metrics = append(metrics, t.URL)
	}
	if r.memory == nil {
		endpoints := metrics
		if r.Endpoint != "" {
			endpoints = append([]string{r.Endpoint}, metrics...)
		}
		r.memory = newMemoryReader(a.sys, a.recorder, nodeconfig.Config{PIDFile: r.NodePIDFile, Process: r.NodeProcess, Endpoints: endpoints}).read
	}
	if r.steps == nil {
		r.steps = func() []capture.Step {
			return capture.Plan(capture.Config{Profiles: capture.ContextProfiles, Endpoint: r.Endpoint, Metrics: metrics, ScrapeTime: a.slowestScrape})
		}
	}
	a.rampStore = ramps.NewStore(r.Store)
	state, shown := newRampState(), &atomic.Pointer[rampStatus]{}
	shown.Store(state.status())
	a.ramps = a.sys.Spawn("ramps", actors.ResumeOnFailure(), func() actors.Actor {
		return &rampProfiler{sys: a.sys, log: a.sys.Log(), cfg: r, store: a.rampStore, turn: a.turn, state: state, shown: shown}
	})
	cfg.more = append(cfg.more, func() []recorder.Sample { return rampSamples(shown.Load()) })
}

func (r *rampProfiler) Receive(c actors.Context) {
	now := time.Now()
	switch m := c.Message().(type) {
	case *actors.Started:
		r.ctx, r.cancel = context.WithCancelCause(context.Background())
		r.onDue(c, now)
	case *actors.Stopping, *actors.Restarting:
		r.due.Disarm()
		r.cancel(errStopped)
	case *actors.Stopped:
	case actors.Tick:
		if r.due.Fired(m) {
			r.onDue(c, now)
		}
	case rampMemoryRead:
		r.do(c, r.state.read(m.memory, now))
	case rampCaptured:
		r.do(c, r.state.captured(m.result, m.cause, now))
	default:
		unknownMessage(r.log, m)
	}
}

func (r *rampProfiler) onDue(c actors.Context, now time.Time) {
	r.due.Arm(c, rampInterval)
	r.do(c, r.state.due(now))
}

func (r *rampProfiler) do(c actors.Context, effects []rampEffect) {
	self := newSender(r.ctx, r.sys, c)
	for _, e := range effects {
		switch e := e.(type) {
		case readRampMemory:
			go func() { self.send(r.readMemory(self.ctx)) }()
		case captureRamp:
			moment := ramps.Moment{At: time.Now(), Ramp: e.began, Resident: e.memory.resident, Limit: e.memory.limit}
			go func() { self.send(r.captured(moment)) }()
		case logRamp:
			writeEntry(r.log, e.logEntry)
		}
	}
	r.shown.Store(r.state.status())
}

// readMemory reads the node's memory, within memoryTimeout.
func (r *rampProfiler) readMemory(ctx context.Context) rampMemoryRead {
	ctx, cancel := context.WithTimeout(ctx, memoryTimeout)
	defer cancel()
	var memory nodeMemory
	if err := recovered(r.log, "reading the node's memory", func() (err error) {
		memory, err = r.cfg.memory(ctx)
		return err
	}); err != nil {
		return rampMemoryRead{}
	}
	return rampMemoryRead{&memory}
}

// captured captures, and says what became of it, whatever happens.
func (r *rampProfiler) captured(at ramps.Moment) (m rampCaptured) {
	if err := recovered(r.log, "the capture of profiles", func() error {
		m = r.capture(at)
		return nil
	}); err != nil {
		return rampCaptured{captureFailed, causeOf(err)}
	}
	return m
}

// capture captures the profiles of a moment. It takes as long as the node and the disk do.
func (r *rampProfiler) capture(at ramps.Moment) rampCaptured {
	var lock sync.Mutex
	var failed []error
	kept := 0
	runner := capture.Runner{Turn: r.turn, Total: rampPause,
		Open: func(s capture.Step) (capture.Output, error) {
			w, err := r.store.Create(at, typeOfProfile(s))
			if err != nil {
				return nil, err // not a nil *ramps.Writer in an interface
			}
			return w, nil
		},
		Done: func(result capture.Result) {
			lock.Lock()
			defer lock.Unlock()
			if result.File != nil {
				kept++
			}
			if m, is := result.Missing(); is {
				failed = append(failed, errors.New(m.Reason))
			}
		}}
	steps := r.cfg.steps()
	for i := range steps {
		steps[i].Limit = min(steps[i].Limit, r.store.Limit())
	}
	runner.Run(r.ctx, steps)
	lock.Lock()
	defer lock.Unlock()
	switch cause := causeOf(errors.Join(failed...)); {
	case kept == 0:
		return rampCaptured{captureFailed, cause}
	case len(failed) > 0:
		return rampCaptured{capturePartial, cause}
	}
	return rampCaptured{result: captureWhole}
}

// typeOfProfile returns the type of the profile that a step captures.
func typeOfProfile(s capture.Step) string {
	_, kind, _ := strings.Cut(s.What, "/")
	return kind
}
