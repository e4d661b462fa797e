package agent

import (
	"fmt"
	"runtime/debug"
	"time"

	"fodc/actors"
	"fodc/recorder"
	"fodc/recorder/journal"

	"go.uber.org/zap"
)

const (
	// recoverySpan is how much of the past is read back into memory at most. What is older is read
	// from disk when somebody asks for it.
	recoverySpan = 3 * time.Hour
	// recoveryTimeout is how long that may take. If it takes longer, all of it stays on disk.
	recoveryTimeout = time.Minute
)

var errRecoveryTimeout = fmt.Errorf("it takes longer than %s", recoveryTimeout)

// pastRecovered is what was read back.
type pastRecovered struct {
	window *recorder.Window // nil if there is none
	done   journal.Recovered
	took   time.Duration
	// err is why a part of it is missing, or all.
	err error
}

// startRecovery reads the past back, in a goroutine of its own, which may hang.
func (j *journalKeeper) startRecovery(c actors.Context) {
	self, log, began := newSender(j.ctx, j.sys, c), j.log, time.Now()
	view, disk := j.newest.view, j.cfg.FS
	of := journal.Recovery{Limits: j.limits, Base: j.newest.stats.Base, Since: began.Add(-recoverySpan).UnixMilli()}
	j.recovering = true
	j.recoveryDeadline.Arm(c, recoveryTimeout)
	go func() {
		m := recoverPast(log, view, disk, of)
		m.took = time.Since(began)
		self.send(m)
	}()
}

// recoverPast reads the past back. A panic is an error: the log has the stack.
func recoverPast(log *zap.Logger, view *journal.View, disk journal.FS, of journal.Recovery) (m pastRecovered) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("reading the journal back has failed", zap.Any("panic", p), zap.ByteString("stack", debug.Stack()))
			m = pastRecovered{err: fmt.Errorf("panic: %v", p)}
		}
	}()
	m.window, m.done, m.err = journal.Recover(view, disk, of)
	return m
}

// onRecovered gives the window of the past to the recorder.
func (j *journalKeeper) onRecovered(c actors.Context, m pastRecovered) {
	if !j.recovering {
		return // It took too long, and was given up.
	}
	j.recovering = false
	j.recoveryDeadline.Disarm()
	actors.Request(c, j.recorder, refill{window: m.window, started: j.started, version: j.cfg.Config.Node.AgentVersion})
	m.window = nil
	j.recovered = m
}

// onRefilled records that the past is in memory, or will not be.
func (j *journalKeeper) onRefilled(c actors.Context, m refilled) {
	if m.err == nil && j.recovered.done.Scrapes > 0 {
		j.log.Info("what was recorded before the start is in memory again", zap.Duration("took", j.recovered.took),
			zap.Int("scrapes", j.recovered.done.Scrapes), zap.Int("samples", j.recovered.done.Samples))
	}
	for _, err := range []error{m.err, j.recovered.err} {
		if err != nil {
			writeEntry(j.log, logEntry{warn: true, text: "what was recorded before the start is not in memory again, or not all: it stays on disk",
				cause: shortCause(err)})
		}
	}
	j.do(c, j.state.recovered(time.Now()))
}

// maxLoggedDamage bounds the lines about segments that are damaged.
const maxLoggedDamage = 10

// onOpen begins to read back what the journal has, and logs it.
func (j *journalKeeper) onOpen(c actors.Context) {
	j.startRecovery(c)
	v, stats := j.newest.view, &j.newest.stats
	fields := []zap.Field{zap.String("dir", j.cfg.Dir), zap.Int("segments", stats.Segments), zap.Int64("bytes", stats.Bytes),
		zap.Int64("limit_bytes", stats.Limit)}
	if stats.Oldest != 0 {
		fields = append(fields, zap.Time("oldest", timeOf(stats.Oldest)))
	}
	j.log.Info("the journal is open", fields...)
	logged := 0
	for i := range v.Segments {
		if d := v.Segments[i].Damage; d != nil && logged < maxLoggedDamage {
			j.log.Warn("a segment of the journal ends before its end", zap.String("segment", v.Segments[i].Name),
				zap.Int64("offset", d.Offset), zap.String("cause", d.Reason))
			logged++
		}
	}
	for i := range v.Unreadable[:min(len(v.Unreadable), maxLoggedDamage)] {
		u := &v.Unreadable[i]
		j.log.Warn("a segment of the journal cannot be read", zap.String("segment", u.Name), zap.String("cause", shortCause(u.Err)))
	}
}
