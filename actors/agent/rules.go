package agent

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"fodc/actors"
	"fodc/actors/agent/mask"
	"fodc/actors/agent/rules"
	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/journal"

	"go.uber.org/zap"
)

// Messages to the actor of the rules.
type (
	rulesEvaluated struct {
		alerts []rules.Alert
		events []recorder.Event
		// shutdown is when an agent before this one was killed; zero: it was not.
		shutdown time.Time
		err      error
	}
	// rulesLoaded is the result of reading the files of rules; a nil set says that they have not changed.
	rulesLoaded struct {
		set   *rules.Set
		stamp string
		err   error
	}
	// reloadRules is answered with rulesReloaded.
	reloadRules   struct{}
	rulesReloaded struct{ err error }
)

// ruleKeeper evaluates the rules each interval, and reads their files again when they have changed. After a
// panic it goes on with the same rules and alerts.
type ruleKeeper struct {
	sys       *actors.System
	log       *zap.Logger
	cfg       *IncidentsConfig
	evaluator *rules.Evaluator
	incidents *actors.PID
	recorder  *actors.PID
	state     *rulesState
	shown     *atomic.Pointer[rulesStatus]
	askers    []*actors.PID

	due, poll actors.Timer
	ctx       context.Context
	cancel    context.CancelCauseFunc
}

// errRecovering says that what was recorded before the start is not there yet.
var errRecovering = fmt.Errorf("what was recorded before the start of the agent is being read: %w", rules.ErrNotReady)

// startRules starts the actor that evaluates the rules.
func (a *Agent) startRules(cfg *Config) {
	in := cfg.Incidents
	identity := a.identity.identity
	read := func(ctx context.Context, sel messages.Selection, take func(int64) error) (messages.NodeAnswer, error) {
		answer, err := a.Read(ctx, sel, take)
		if err == nil && answer.Partial == messages.PartialRecovering {
			err = errRecovering
		}
		return answer, err
	}
	evaluator := rules.New(in.Rules, rules.Storage(read, identity), rules.Options{Timeout: evaluationTimeout, ScrapeInterval: cfg.ScrapeInterval})
	state, shown := newRulesState(cfg.ScrapeInterval, time.Now()), &atomic.Pointer[rulesStatus]{}
	shown.Store(state.status(evaluator.Stats()))
	a.rules = a.sys.Spawn("rules", actors.ResumeOnFailure(), func() actors.Actor {
		return &ruleKeeper{sys: a.sys, log: a.sys.Log(), cfg: in, evaluator: evaluator, incidents: a.incidents, recorder: a.recorder, state: state, shown: shown}
	})
	a.ruleStatus, a.ruleGroups = shown, evaluator.Groups
	cfg.more = append(cfg.more, func() []recorder.Sample { return ruleSamples(shown.Load()) })
}

func (r *ruleKeeper) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started:
		r.ctx, r.cancel = context.WithCancelCause(context.Background())
		r.onDue(c)
		r.load(c)
	case *actors.Stopping, *actors.Restarting:
		r.due.Disarm()
		r.poll.Disarm()
		r.cancel(errStopped)
	case *actors.Stopped:
	case actors.Tick:
		switch {
		case r.due.Fired(m):
			r.onDue(c)
		case r.poll.Fired(m):
			r.load(c)
		}
	case rulesEvaluated:
		r.onEvaluated(m)
	case rulesLoaded:
		r.onLoaded(c, m)
	case reloadRules:
		r.askers = append(r.askers, c.Sender())
		r.state.again = true
		r.load(c)
	default:
		unknownMessage(r.log, m)
	}
}

func (r *ruleKeeper) onDue(c actors.Context) {
	now := time.Now()
	start, after, entry := r.state.due(now)
	r.due.Arm(c, after)
	if entry != nil {
		writeEntry(r.log, *entry)
	}
	if start {
		go r.evaluate(newSender(r.ctx, r.sys, c), now, !r.state.evaluatedOnce)
	}
}

// evaluate evaluates the rules. If there are alerts, and the first time, it asks for the events of the recorder, too.
func (r *ruleKeeper) evaluate(self sender, now time.Time, first bool) {
	m := rulesEvaluated{err: errors.New("the evaluation has failed")}
	defer func() {
		if p := recover(); p != nil {
			r.log.Error("the evaluation of the rules panicked", zap.Any("panic", p), zap.Stack("stack"))
			m = rulesEvaluated{err: fmt.Errorf("panic: %.200v", p)}
		}
		self.send(m)
	}()
	ctx, cancel := context.WithTimeout(self.ctx, evaluationTimeout)
	defer cancel()
	m.alerts, m.err = r.evaluator.Evaluate(ctx, now)
	if len(m.alerts) > 0 || first {
		m.events, _ = actors.Ask[[]recorder.Event](ctx, r.sys, r.recorder, readEvents{})
		m.shutdown = uncleanShutdown(m.events)
	}
}

// uncleanShutdown returns when the agent before this one was killed; zero: it was not.
func uncleanShutdown(events []recorder.Event) (at time.Time) {
	for _, e := range events {
		switch e.Kind {
		case recorder.EventAgentStopped:
			at = time.Time{}
			if e.Detail == journal.DetailKilled {
				at = e.At
			}
		}
	}
	return at
}

func (r *ruleKeeper) onEvaluated(m rulesEvaluated) {
	failed := m.err != nil && len(rules.Errors(m.err)) == 0
	for _, e := range r.state.evaluated(causeOf(m.err), errors.Is(m.err, errRecovering), time.Now()) {
		writeEntry(r.log, e)
	}
	if !failed && !r.state.evaluatedOnce {
		r.state.evaluatedOnce, r.state.shutdown = true, m.shutdown
	}
	r.show()
	if failed {
		return
	}
	firing := []ruleAlert{}
	for i := range m.alerts {
		if a := &m.alerts[i]; a.State == rules.Firing {
			firing = append(firing, ruleAlert{rule: a.Rule, severity: a.Severity, summary: mask.Text(a.Summary), description: mask.Text(a.Description),
				labels: a.Labels, activeAt: a.ActiveAt})
		}
	}
	r.sys.Send(r.incidents, alertsFire{firing, m.events})
}

// load reads the files of rules, unless they are being read.
func (r *ruleKeeper) load(c actors.Context) {
	r.poll.Arm(c, rulePollInterval)
	if !r.state.startLoad() {
		return
	}
	self, stamp, cfg, asked := newSender(r.ctx, r.sys, c), r.state.stamp, r.cfg, len(r.askers) > 0
	go func() {
		m := rulesLoaded{err: errors.New("reading the rules has failed")}
		defer func() {
			if p := recover(); p != nil {
				m = rulesLoaded{err: fmt.Errorf("panic: %.200v", p)}
			}
			self.send(m)
		}()
		now := stampOf(cfg.RuleFiles)
		if m = (rulesLoaded{stamp: now}); asked || stamp != "" && now != stamp {
			m.set, m.err = cfg.LoadRules()
		}
	}()
}

func (r *ruleKeeper) onLoaded(c actors.Context, m rulesLoaded) {
	entry := r.state.loaded(m.stamp, m.set != nil, causeOf(m.err), time.Now())
	if m.set != nil && m.err == nil {
		r.evaluator.Reload(m.set)
	}
	if entry != nil && (m.err == nil || len(r.askers) == 0) { // Whoever has asked logs what is wrong.
		writeEntry(r.log, *entry)
	}
	r.show()
	if m.set == nil && m.err == nil && r.state.again {
		r.load(c) // Somebody has asked while the files were looked at.
		return
	}
	for _, pid := range r.askers {
		r.sys.Send(pid, rulesReloaded{m.err})
	}
	r.askers = nil
}

func (r *ruleKeeper) show() {
	r.shown.Store(r.state.status(r.evaluator.Stats()))
}
