package agent

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"fodc/recorder"
	"fodc/recorder/journal"

	"go.uber.org/zap"
)

// journalWriter is journal.Writer, as the agent uses it. Each method takes as long as the disk
// does.
type journalWriter interface {
	Open(now time.Time) error
	Append(b *recorder.Batch, now time.Time) error
	AppendEvent(e recorder.Event, now time.Time) error
	Due(now time.Time) error
	NextDue() time.Time
	Close(now time.Time) error
	Pin(number int64) error
	Unpin(number int64) error
	// Abandon has the next append begin a new segment, whatever became of this one.
	Abandon()
	View() *journal.View
	Stats() journal.Stats
}

// journalEnded is the result of an operation, and what the journal has after it.
type journalEnded struct {
	journalResult
	view  *journal.View
	stats journal.Stats
}

// journalDisk is the goroutine that does the operations of a journal, one at a time. It may hang
// for as long as the disk does, so it is not replaced when the actor fails.
type journalDisk struct {
	log          *zap.Logger
	writer       journalWriter
	lock, unlock func() error
	work         chan journalWork
	isLocked     bool // as far as is known
}

func newJournalDisk(log *zap.Logger, cfg *JournalConfig) *journalDisk {
	return &journalDisk{log: log, writer: cfg.newWriter(), lock: cfg.Lock, unlock: cfg.Unlock, work: make(chan journalWork, 1)}
}

// run does operations until the journal is closed. It closes it when the actor ends.
func (d *journalDisk) run(self sender) {
	for {
		select {
		case w := <-d.work:
			self.send(d.do(w))
			if w.op == journalClose {
				return
			}
		case <-self.ctx.Done():
			d.do(journalWork{op: journalClose})
			return
		}
	}
}

// do does an operation.
func (d *journalDisk) do(w journalWork) journalEnded {
	ended := journalEnded{journalResult: journalResult{work: w}}
	ended.err = d.guard(w.op, func() error {
		if w.op == journalPin {
			ended.pinned = d.pin(w.pins)
			return nil
		}
		return d.operate(w)
	})
	d.isLocked = d.isLocked && ended.err == nil
	if err := d.guard(w.op, func() error { d.complete(&ended); return nil }); err != nil {
		ended.err = err
	}
	return ended
}

// guard calls f. If that panics, it has failed: the log has the stack, and the journal goes on in a
// new segment.
func (d *journalDisk) guard(op journalOp, f func() error) error {
	panicked, err := d.call(op, f)
	if panicked {
		_, _ = d.call(op, func() error { d.writer.Abandon(); return nil })
	}
	return err
}

func (d *journalDisk) call(op journalOp, f func() error) (panicked bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			d.log.Error("the journal has failed", zap.Stringer("operation", op), zap.Any("panic", p), zap.ByteString("stack", debug.Stack()))
			panicked, err = true, fmt.Errorf("%s: panic: %v", op, p)
		}
	}()
	return false, f()
}

// complete adds what the journal has after an operation, and when it goes on.
func (d *journalDisk) complete(ended *journalEnded) {
	ended.view, ended.stats = d.writer.View(), d.writer.Stats()
	ended.isInvalid = errors.Is(ended.err, journal.ErrInvalid)
	if ended.isPaused = errors.Is(ended.err, journal.ErrPaused); ended.isPaused {
		ended.err = errors.New(ended.stats.Error)
	}
	switch ended.stats.State {
	case journal.StateFailing, journal.StatePaused:
		ended.retry = d.writer.NextDue()
	default:
		ended.next = d.writer.NextDue()
	}
}

func (d *journalDisk) operate(w journalWork) error {
	if w.op == journalClose {
		err := d.writer.Close(time.Now())
		if unlocked := d.unlock(); err == nil {
			err = unlocked
		}
		return err
	}
	if !d.isLocked {
		if err := d.lock(); err != nil {
			return err
		}
		d.isLocked = true
	}
	switch w.op {
	case journalOpen:
		return d.writer.Open(time.Now())
	case journalAppend:
		return d.writer.Append(w.batch, time.Now())
	case journalEvent:
		return d.writer.AppendEvent(w.event, time.Now())
	}
	return d.writer.Due(time.Now())
}

// pin pins the segments that are wanted, and no others.
func (d *journalDisk) pin(wanted []pinnedTime) error {
	pin, unpin := pinsOf(d.writer.View().Segments, wanted)
	var errs []error
	for _, number := range pin {
		errs = append(errs, d.writer.Pin(number))
	}
	for _, number := range unpin {
		errs = append(errs, d.writer.Unpin(number))
	}
	return errors.Join(errs...)
}
