package agent

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"fodc/actors"
	"fodc/recorder"
	"fodc/recorder/journal"

	"go.uber.org/zap"
)

// recoveryTimeout is how long the past may take to be replayed. If it takes longer, it is read
// from the disk alone.
const recoveryTimeout = time.Minute

var errRecoveryTimeout = fmt.Errorf("it takes longer than %s", recoveryTimeout)

// pastReplayed is the result of a replay.
type pastReplayed struct {
	window *recorder.Window // nil if it failed
	took   time.Duration
	err    error
}

// startReplay replays the past in a goroutine of its own, which may hang.
func (j *journalKeeper) startReplay(c actors.Context, view *journal.View) {
	self, cfg, limits, log := newSender(j.ctx, j.sys, c), j.cfg, j.limits, j.log
	j.replaying = true
	j.recoveryDeadline.Arm(c, recoveryTimeout)
	go func() {
		began := time.Now()
		w, err := replayPast(log, cfg, view, limits)
		self.send(pastReplayed{w, time.Since(began), err})
	}()
}

// replayPast returns a window of the past. A panic is an error: the log has the stack.
func replayPast(log *zap.Logger, cfg *JournalConfig, view *journal.View, limits recorder.Limits) (w *recorder.Window, err error) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("replaying the journal has failed", zap.Any("panic", p), zap.ByteString("stack", debug.Stack()))
			w, err = nil, fmt.Errorf("panic: %v", p)
		}
	}()
	w = recorder.NewWindow(limits)
	if err := recoverPast(cfg, view, w); err != nil {
		return nil, err
	}
	return w, nil
}

// onOpen begins to replay the past.
func (j *journalKeeper) onOpen(c actors.Context) {
	j.logOpened()
	j.startReplay(c, j.newest.view)
}

// onReplayed gives the window of the past to the recorder.
func (j *journalKeeper) onReplayed(c actors.Context, m pastReplayed) {
	if !j.replaying {
		return // It took too long, and was given up.
	}
	j.replaying = false
	j.recoveryDeadline.Disarm()
	j.recovery = m
	actors.Request(c, j.recorder, refill{m.window})
}

// onRefilled records that the past is in memory, or will not be.
func (j *journalKeeper) onRefilled(c actors.Context, m refilled) {
	err := errors.Join(j.recovery.err, m.err)
	j.recovery.window = nil
	switch {
	case err != nil:
		writeEntry(j.log, logEntry{warn: true, text: "what was recorded before the start is not read back into memory: it stays on disk", cause: shortCause(err)})
	case m.samples > 0: // at the first start there are none
		j.log.Info("what was recorded before the start is in memory again", zap.Duration("took", j.recovery.took), zap.Int("samples", m.samples))
	}
	j.do(c, j.state.recovered(time.Now()))
}

// logOpened logs what the journal has.
func (j *journalKeeper) logOpened() {
	v := j.newest.view
	fields := []zap.Field{zap.String("dir", j.cfg.Dir), zap.Int("segments", len(v.Segments)), zap.Int64("bytes", j.newest.stats.Bytes)}
	j.log.Info("the journal is open", fields...)
}
