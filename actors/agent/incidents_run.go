package agent

import (
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"fodc/actors"
	"fodc/actors/agent/capture"
	"fodc/messages"
	"fodc/recorder"

	"go.uber.org/zap"
)

const (
	// capturesWait is how long a freeze waits for captures that have begun.
	capturesWait = 150 * time.Second
	// endCaptures bounds the time of what is captured at the freeze.
	endCaptures = 30 * time.Second
)

// Messages to the actor of the incidents, from the goroutines of one of them.
type (
	captureBegun     struct{ path string }
	evidenceCaptured struct {
		id      string
		file    *messages.EvidenceFile
		missing *messages.EvidenceMissing
	}
	incidentFroze struct {
		id      string
		files   []messages.EvidenceFile
		missing []messages.EvidenceMissing
	}
	// readTimeline is answered with timelineRead. The events are the recorder's.
	readTimeline struct {
		id     string
		events []recorder.Event
	}
	timelineRead struct{ events []messages.IncidentEvent }
)

// incidentRun is an incident that is not frozen. Its goroutines write to one store.
type incidentRun struct {
	id, dir string
	store   *incidentStore // nil: it is being prepared
	// frozen is closed when what follows logs is to end; captured when nothing is captured any more.
	frozen, captured chan struct{}
	haste            *captureHaste
	// prepared is the document that it is prepared with.
	prepared *messages.Incident
	// freezing says that it is to be frozen as soon as there is a store. askers are answered then.
	freezing bool
	askers   []*actors.PID
}

func newIncidentRun(id string, doc *messages.Incident, store *incidentStore) *incidentRun {
	return &incidentRun{id: id, dir: doc.Nodes[0].Dir, store: store, frozen: make(chan struct{}), captured: make(chan struct{}), haste: newCaptureHaste()}
}

// begin prepares an incident, or goes on with one that has a store.
func (i *incidents) begin(c actors.Context, id string) {
	e := i.state.entries[id]
	run := newIncidentRun(id, e.doc, nil)
	i.runs[id] = run
	i.pin()
	if store := i.stores[id]; store != nil {
		run.store = store
		i.capture(c, run, e)
		return
	}
	run.prepared = e.doc
	self, disk, memory, doc := newSender(i.ctx, i.sys, c), i.disk, i.memory, i.state.view(e)
	go func() { self.send(prepareIncident(i.log, disk, memory, doc)) }()
}

func (i *incidents) onPrepared(c actors.Context, m incidentPrepared, now time.Time) {
	run, e := i.runs[m.id], i.state.entries[m.id]
	if run == nil || e == nil || run.store != nil {
		return
	}
	run.store, i.stores[m.id] = m.store, m.store
	switch {
	case !m.store.onDisk && i.cfg.FS == nil:
		i.do(c, i.state.captured(m.id, nil, &messages.EvidenceMissing{What: "storage", Reason: "there is no storage directory (--storage-dir): the evidence is in memory, in less room, and is lost when the agent ends"}, now), now)
	case m.err != nil:
		reason := "the evidence is in memory, in less room, and is lost when the agent ends: " + shortCause(m.err)
		writeEntry(i.log, logEntry{warn: true, text: "an incident is kept in memory: " + m.id, cause: shortCause(m.err)})
		i.do(c, i.state.captured(m.id, nil, &messages.EvidenceMissing{What: "storage", Reason: reason}, now), now)
	}
	if e.doc != run.prepared {
		i.state.touch(m.id, now)
	} else {
		i.do(c, []incidentEffect{i.state.announce()}, now) // It is stored.
	}
	i.capture(c, run, e)
	if run.freezing {
		i.freeze(c, run.id)
	}
	i.do(c, i.state.due(now), now)
	for _, asker := range run.askers {
		i.sys.Send(asker, incidentFound{doc: i.state.view(e), store: m.store})
	}
}

// capture begins to capture what there is at the opening.
func (i *incidents) capture(c actors.Context, run *incidentRun, e *incidentEntry) {
	self := newSender(i.ctx, i.sys, c)
	config := i.captureConfig(run, e)
	go func() {
		defer close(run.captured)
		defer run.haste.end()
		i.cfg.capturing()
		i.runSteps(self, run, run.haste, func() []capture.Step { return i.steps(config) }, 0)
	}()
}

// steps returns what is captured at the opening.
func (i *incidents) steps(config capture.Config) []capture.Step {
	if i.cfg.steps != nil {
		return i.cfg.steps(config)
	}
	return capture.Plan(config)
}

// runSteps captures, with pauses until there is haste; nil: without. It ends when all steps have ended, or have been left to
// themselves.
func (i *incidents) runSteps(self sender, run *incidentRun, haste *captureHaste, steps func() []capture.Step, total time.Duration) {
	runner := capture.Runner{Turn: i.turn, Total: total,
		Open: func(s capture.Step) (capture.Output, error) {
			w, err := run.store.Create(run.id, path.Join(run.dir, s.Path), s.What, s.Limit)
			if err != nil {
				return nil, err // not a nil *evidence.Writer in an interface
			}
			return w, nil
		},
		Begin: func(s capture.Step) {
			if s.Heavy {
				self.send(captureBegun{s.Path})
			}
		},
		Done: func(r capture.Result) {
			m := evidenceCaptured{id: run.id, file: r.File}
			if missing, is := r.Missing(); is {
				m.missing = &missing
			}
			self.send(m)
		}}
	haste.pace(&runner)
	if err := recovered(i.log, "the captures of an incident", func() error {
		runner.Run(self.ctx, steps())
		return nil
	}); err != nil {
		self.send(evidenceCaptured{id: run.id, missing: &messages.EvidenceMissing{What: "captures", Reason: shortCause(err)}})
	}
}

// freeze ends the captures of an incident, and writes what was recorded. An incident of a former process may lack
// some of what is captured at the opening.
func (i *incidents) freeze(c actors.Context, id string) {
	e, run := i.state.entries[id], i.runs[id]
	if run == nil {
		run = newIncidentRun(id, e.doc, i.stores[id])
		i.runs[id] = run
		config, self := i.captureConfig(run, e), newSender(i.ctx, i.sys, c)
		go func() {
			defer close(run.captured)
			defer run.haste.end()
			i.runSteps(self, run, nil, func() []capture.Step { return capture.Late(i.steps(config)) }, endCaptures)
		}()
	}
	run.haste.begin()
	if run.store == nil {
		run.freezing = true
		return
	}
	i.pin()
	self, doc, config := newSender(i.ctx, i.sys, c), e.doc, i.captureConfig(run, e)
	go func() { self.send(i.frozen(self, run, doc, config)) }()
}

// frozen writes what an incident has at its end.
func (i *incidents) frozen(self sender, run *incidentRun, doc *messages.Incident, config capture.Config) (m incidentFroze) {
	m.id = run.id
	miss := func(what string, err error) {
		m.missing = append(m.missing, messages.EvidenceMissing{What: what, Reason: shortCause(err)})
	}
	defer func() {
		if p := recover(); p != nil {
			i.log.Error("the freeze of an incident panicked", zap.Any("panic", p), zap.Stack("stack"))
			miss(messages.EvidenceWindow, fmt.Errorf("panic: %.200v", p))
		}
	}()
	close(run.frozen)
	i.cfg.capturing()
	timer := time.NewTimer(capturesWait)
	defer timer.Stop()
	i.awaitRecovery(self.ctx, doc.From)
	files, err := i.writeWindow(self.ctx, run, doc)
	m.files = append(m.files, files...)
	if err != nil {
		miss(messages.EvidenceWindow, err)
	}
	select {
	case <-run.captured:
	case <-timer.C:
		miss("captures", errors.New("some did not end in time"))
	case <-self.ctx.Done():
		return m
	}
	config.Have = run.have(config.Have)
	steps := capture.PlanFreeze
	if i.cfg.endSteps != nil {
		steps = i.cfg.endSteps
	}
	i.runSteps(self, run, nil, func() []capture.Step { return steps(config) }, endCaptures)
	if file, err := i.writeEvents(self, run); err != nil {
		miss(messages.EvidenceEvents, err)
	} else {
		m.files = append(m.files, file)
	}
	return m
}

// have returns a function that knows what was captured since the incident was to be frozen, too: of one that somebody has asked for,
// that is all of it.
func (r *incidentRun) have(before func(string) bool) func(string) bool {
	return func(file string) bool {
		if before(file) {
			return true
		}
		_, err := r.store.Stat(r.id, path.Join(r.dir, file))
		return err == nil
	}
}

func (i *incidents) onFroze(c actors.Context, m incidentFroze, now time.Time) {
	delete(i.runs, m.id)
	i.do(c, i.state.frozen(m.id, m.files, m.missing, now), now)
	i.pin()
}

func (i *incidents) onTimeline(c actors.Context, m readTimeline) {
	if m.events != nil {
		i.state.recorded(m.events)
	}
	var events []messages.IncidentEvent
	if e := i.state.entries[m.id]; e != nil {
		events, _ = i.state.timeline(e.doc)
	}
	actors.Reply(c, timelineRead{events})
}

// eventsOf returns the timeline of an incident, with what the recorder has noticed.
func (i *incidents) eventsOf(ctx context.Context, id string, self sender) ([]messages.IncidentEvent, error) {
	events, _ := actors.Ask[[]recorder.Event](ctx, i.sys, i.agent.recorder, readEvents{})
	read, err := actors.Ask[timelineRead](ctx, i.sys, self.pid, readTimeline{id, events})
	return read.events, err
}
