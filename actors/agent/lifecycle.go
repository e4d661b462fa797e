package agent

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"fodc/actors"
	"fodc/actors/agent/banyandb"
	"fodc/messages"

	"go.uber.org/zap"
)

// Messages to the actor of the lifecycle.
type (
	// readLifecycle is answered with answerLifecycle, or with errRestarted.
	readLifecycle struct{}
	// readReports is answered with lifecycleReports: those of the question under way, as far as they are there.
	readReports struct{}
	inspected   struct {
		lifecycleGroups
		refused bool // nothing listens at the port
	}
	reportsRead struct{ lifecycleReports }
)

// inspectMargin is how long before the end of an answer's time it has what is there: a call to the node may
// take longer, and then answers those who ask later.
const inspectMargin = 500 * time.Millisecond

var errInspecting = errors.New("the node has not answered InspectAll yet: its answer is for the next question")

var errRestarted = errors.New("the agent recovers from a failure: try again in a second")

// lifecycle asks the node for its groups, and reads the reports of its lifecycle runs. Goroutines
// wait, and end with one message each. That of the reports may hang for as long as the disk does, so
// it is not started a second time.
type lifecycle struct {
	sys        *actors.System
	log        *zap.Logger
	state      *lifecycleState
	client     *banyandb.Client // nil: the node is not asked
	dir        string
	reader     *reportReader
	requesters []*actors.PID

	reports, keep actors.Timer
	ctx           context.Context
	cancel        context.CancelCauseFunc
}

func newLifecycle(sys *actors.System, reader *reportReader, cfg DatabaseConfig) *lifecycle {
	l := &lifecycle{sys: sys, log: sys.Log(), dir: cfg.ReportDir, reader: reader,
		state: &lifecycleState{hasPort: cfg.LifecyclePort != 0, isOptional: cfg.LifecycleOptional, hasReports: cfg.ReportDir != "", ttl: cfg.LifecycleTTL}}
	if cfg.LifecyclePort != 0 {
		l.client = banyandb.New(cfg.LifecyclePort, cfg.Dial)
	}
	return l
}

func (l *lifecycle) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started:
		l.ctx, l.cancel = context.WithCancelCause(context.Background())
		if l.client != nil {
			context.AfterFunc(l.ctx, l.client.Close)
		}
	case *actors.Stopping, *actors.Restarting:
		l.reports.Disarm()
		l.keep.Disarm()
		l.cancel(errStopped)
		l.answer(errRestarted)
	case *actors.Stopped:
	case readLifecycle:
		l.requesters = append(l.requesters, c.Sender())
		l.do(c, l.state.ask())
	case readReports:
		actors.Reply(c, l.state.reports)
	case inspected:
		l.do(c, l.state.inspected(m.lifecycleGroups, m.refused))
	case reportsRead:
		l.do(c, l.state.read(m.lifecycleReports, time.Now()))
	case actors.Tick:
		l.onTick(c, m)
	default:
		unknownMessage(l.log, m)
	}
}

func (l *lifecycle) onTick(c actors.Context, m actors.Tick) {
	switch {
	case l.reports.Fired(m):
		l.do(c, l.state.readTimedOut(fmt.Errorf("%q does not answer", l.dir), time.Now()))
	case l.keep.Fired(m):
		l.state.forget()
	}
}

func (l *lifecycle) do(c actors.Context, effects []lifecycleEffect) {
	for _, e := range effects {
		switch e := e.(type) {
		case startInspect:
			go inspect(newSender(l.ctx, l.sys, c), l.client)
		case startReports:
			go l.reader.read(newSender(l.ctx, l.sys, c), l.dir)
		case armReports:
			l.reports.Arm(c, e.after)
		case armForget:
			l.keep.Arm(c, e.after)
		case answerLifecycle:
			l.answer(e)
		case logLifecycle:
			writeEntry(l.log, e.logEntry)
		}
	}
}

func (l *lifecycle) answer(a any) {
	for _, requester := range l.requesters {
		l.sys.Send(requester, a)
	}
	l.requesters = nil
}

// inspect asks the node for its groups, and sends the answer.
func inspect(self sender, client *banyandb.Client) {
	groups, err := guarded(func() ([]messages.LifecycleGroup, error) { return client.InspectAll(self.ctx) })
	if errors.Is(err, banyandb.ErrUnimplemented) {
		err = nil
	}
	self.send(inspected{lifecycleGroups{groups, err}, errors.Is(err, connectionRefused)})
}

// reportReader reads reports, one read at a time, whatever becomes of the actor.
type reportReader struct{ underWay sync.Mutex }

// read reads the reports of the directory, and sends them. It has ended before that: what is sent may lead to the next read.
func (r *reportReader) read(self sender, dir string) {
	reports, err := r.readOnce(dir)
	self.send(reportsRead{lifecycleReports{reports, err}})
}

func (r *reportReader) readOnce(dir string) ([]messages.LifecycleReport, error) {
	if !r.underWay.TryLock() {
		return nil, fmt.Errorf("%q does not answer", dir)
	}
	defer r.underWay.Unlock()
	return guarded(func() ([]messages.LifecycleReport, error) { return banyandb.ReadReports(dir) })
}

// lifecycleSource answers with the node's groups and the reports of its lifecycle runs.
type lifecycleSource struct {
	sys       *actors.System
	lifecycle *actors.PID
	podName   string
}

// Answer implements Source. What is there is sent, too, where there is an error.
func (s lifecycleSource) Answer(ctx context.Context, _ messages.Question, emit func(messages.Part) error) error {
	known, err := s.ask(ctx)
	if err != nil {
		return unavailable(err)
	}
	if known.groupsErr == nil || len(known.reports) > 0 {
		if err := emit(&messages.Lifecycle{At: time.Now(), PodName: s.podName, Reports: known.reports, Groups: known.groups}); err != nil {
			return err
		}
	}
	return known.groupsErr
}

// ask waits for the groups and the reports. A node that takes long leaves the reports.
func (s lifecycleSource) ask(ctx context.Context) (known answerLifecycle, err error) {
	wait := ctx
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		wait, cancel = context.WithDeadlineCause(ctx, end.Add(-min(inspectMargin, time.Until(end)/4)), errInspecting)
		defer cancel()
	}
	known, err = actors.Ask[answerLifecycle](wait, s.sys, s.lifecycle, readLifecycle{})
	if err == nil || ctx.Err() != nil || !errors.Is(context.Cause(wait), errInspecting) {
		return known, err
	}
	known.groupsErr = errInspecting
	known.lifecycleReports, err = actors.Ask[lifecycleReports](ctx, s.sys, s.lifecycle, readReports{})
	return known, err
}
