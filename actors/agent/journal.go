package agent

import (
	"context"
	"time"

	"fodc/actors"
	"fodc/recorder"

	"go.uber.org/zap"
)

// Messages to the journal.
type (
	// openJournal begins it. The recorder is told what becomes of the past.
	openJournal struct{ recorder *actors.PID }
	// keepBatch is a scrape for the journal.
	keepBatch struct{ batch *recorder.Batch }
	// keepEvent is an event for the journal.
	keepEvent struct{ event recorder.Event }
	// pinJournal says of which times the journal is kept.
	pinJournal struct{ times []pinnedTime }
	// awaitWritten is answered with journalWaitOver when the batch with the number, and all before
	// it, are written, or will not be soon; at the latest after writtenTimeout.
	awaitWritten    struct{ number int64 }
	journalWaitOver struct{}
	// readJournal is answered with journalStatus.
	readJournal struct{}
	// closeJournal is answered with journalClosed, when what waits is written.
	closeJournal  struct{}
	journalClosed struct{}
)

// writtenTimeout is how long somebody waits at most for a scrape to be written.
const writtenTimeout = 50 * time.Millisecond

// journalKeeper decides what the goroutine of the journal does with the disk. After a panic it goes
// on with the next message and the same state.
type journalKeeper struct {
	sys    *actors.System
	log    *zap.Logger
	cfg    *JournalConfig
	limits recorder.Limits // of the window into which the past is replayed
	disk   *journalDisk
	state  *journalState

	recorder *actors.PID
	newest   journalEnded
	// started is when the journal was to be opened: the start of the agent.
	started    time.Time
	recovering bool
	recovered  pastRecovered
	awaiting   []awaitingWritten
	closers    []*actors.PID

	next, stall, timeout, recoveryDeadline actors.Timer
	ctx                                    context.Context
	cancel                                 context.CancelCauseFunc
}

// awaitingWritten is somebody who waits for a batch to be written.
type awaitingWritten struct {
	pid    *actors.PID
	number int64
	until  time.Time
}

func newJournalKeeper(sys *actors.System, cfg *JournalConfig, limits recorder.Limits) *journalKeeper {
	return &journalKeeper{sys: sys, log: sys.Log(), cfg: cfg, limits: limits, disk: newJournalDisk(sys.Log(), cfg),
		state: newJournalState(time.Now())}
}

func (j *journalKeeper) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started:
		actors.Subject(c, j.cfg.Dir)
		j.ctx, j.cancel = context.WithCancelCause(context.Background())
		go j.disk.run(newSender(j.ctx, j.sys, c))
	case *actors.Stopping, *actors.Restarting:
		j.onStopping()
	case *actors.Stopped:
	case openJournal:
		j.recorder, j.started = m.recorder, time.Now()
		j.do(c, j.state.start(time.Now()))
	case keepBatch:
		j.do(c, j.state.appended(m.batch, time.Now()))
	case keepEvent:
		j.do(c, j.state.happened(m.event, time.Now()))
	case journalEnded:
		j.onEnded(c, m)
	case pastRecovered:
		j.onRecovered(c, m)
	case refilled:
		j.onRefilled(c, m)
	case pinJournal:
		j.do(c, j.state.pin(m.times, time.Now()))
	case awaitWritten:
		j.awaiting = append(j.awaiting, awaitingWritten{c.Sender(), m.number, time.Now().Add(writtenTimeout)})
	case readJournal:
		actors.Reply(c, j.status())
	case closeJournal:
		j.closers = append(j.closers, c.Sender())
		j.do(c, j.state.close(time.Now()))
	case actors.Tick:
		j.onTick(c, m)
	default:
		unknownMessage(j.log, m)
	}
	j.answerAwaiting(c)
}

// onStopping leaves an operation that is under way to itself: it may hang.
func (j *journalKeeper) onStopping() {
	j.cancel(errStopped)
	if w := j.state.work.op; w != journalIdle {
		writeEntry(j.log, logEntry{warn: true, text: "the journal is not closed: its disk does not answer", cause: w.String()})
	}
	for _, t := range []*actors.Timer{&j.next, &j.stall, &j.timeout, &j.recoveryDeadline} {
		t.Disarm()
	}
	for _, a := range j.awaiting {
		j.sys.Send(a.pid, journalWaitOver{})
	}
	j.awaiting = nil
}

func (j *journalKeeper) onTick(c actors.Context, m actors.Tick) {
	switch {
	case j.next.Fired(m):
		j.do(c, j.state.due(time.Now()))
	case j.stall.Fired(m):
		j.do(c, j.state.stall(time.Now()))
		j.reportView()
	case j.recoveryDeadline.Fired(m):
		j.onRecovered(c, pastRecovered{err: errRecoveryTimeout})
	case j.timeout.Fired(m): // See answerAwaiting.
	}
}

// onEnded takes the result of an operation.
func (j *journalKeeper) onEnded(c actors.Context, m journalEnded) {
	j.stall.Disarm()
	j.newest = m
	j.do(c, j.state.ended(m.journalResult, time.Now()))
	j.reportView()
}

// do does first what the journal needs to go on, in case that one of the others panics.
func (j *journalKeeper) do(c actors.Context, effects []journalEffect) {
	for _, e := range effects {
		switch e := e.(type) {
		case startJournalWork:
			j.disk.work <- e.work // There is room: it has none.
		case armJournalStall:
			j.stall.Arm(c, e.after)
		case armJournalNext:
			j.next.Arm(c, e.after)
		}
	}
	for _, e := range effects {
		switch e := e.(type) {
		case reportJournalOpen:
			j.onOpen(c)
		case reportJournalClosed:
			j.onClosed(e.err)
		case logJournal:
			writeEntry(j.log, e.logEntry)
		}
	}
}

// reportView tells the recorder what the journal has.
func (j *journalKeeper) reportView() {
	m := journalView{}
	if j.state.opened {
		m = journalView{j.newest.view, j.newest.stats.Base}
	}
	j.sys.Send(j.recorder, m)
}

// onClosed tells those who wait for the end.
func (j *journalKeeper) onClosed(err error) {
	if err != nil {
		writeEntry(j.log, logEntry{warn: true, text: "the journal could not be closed", cause: shortCause(err)})
	}
	for _, pid := range j.closers {
		j.sys.Send(pid, journalClosed{})
	}
	j.closers = nil
}

// answerAwaiting answers those who need not wait any longer.
func (j *journalKeeper) answerAwaiting(c actors.Context) {
	if len(j.awaiting) == 0 {
		return
	}
	now := time.Now()
	left := j.awaiting[:0]
	for _, a := range j.awaiting {
		if !now.Before(a.until) || j.state.isWaitOver(a.number, now) {
			j.sys.Send(a.pid, journalWaitOver{})
			continue
		}
		left = append(left, a)
	}
	clear(j.awaiting[len(left):])
	if j.awaiting = left; len(left) > 0 {
		j.timeout.Arm(c, left[0].until.Sub(now))
	}
}
