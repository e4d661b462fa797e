package proxy

import (
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// How many lines an event may write in a logInterval.
const (
	// strangerLines is for what peers cause that the proxy does not let in.
	strangerLines = 1
	// agentLines is for what happens to agents: a hundred that are started at once have a
	// line each.
	agentLines = 100
	// faultLines is for what is wrong with what agents say.
	faultLines = 10
)

// The events of registered agents. Those of rejected peers are by reason, see
// registrationRefused and streamRefused.
var (
	logRegistered    = logEvent{"registered", agentLines}
	logBack          = logEvent{"back online", agentLines}
	logGoodbye       = logEvent{"goodbye", agentLines}
	logSessionEnded  = logEvent{"session ended", agentLines}
	logSilent        = logEvent{"silent", agentLines}
	logRemoved       = logEvent{"removed", agentLines}
	logEvicted       = logEvent{"evicted", faultLines}
	logDuplicateID   = logEvent{"duplicate node id", faultLines}
	logTooLarge      = logEvent{"answer too large", faultLines}
	logBrokenFrame   = logEvent{"broken frame", faultLines}
	logInvalidSeries = logEvent{"invalid series", faultLines}
	logTooManySeries = logEvent{"too many series", faultLines}
	logLostFamilies  = logEvent{"unknown families", faultLines}
)

// peerLog writes the lines that peers can cause, within the limits of logLimit. It is no
// actor: handlers of streams and actors share it, and it outlives their restarts. A nil
// *peerLog writes each line.
type peerLog struct {
	mu    sync.Mutex
	limit logLimit[peerLine]
}

// peerLine is a line as it is written.
type peerLine struct {
	log    *zap.Logger
	level  zapcore.Level
	text   string
	fields []zap.Field
}

func newPeerLog() *peerLog { return &peerLog{limit: logLimit[peerLine]{}} }

func (p *peerLog) info(e logEvent, log *zap.Logger, text string, fields ...zap.Field) {
	p.write(e, peerLine{log, zapcore.InfoLevel, text, fields})
}

func (p *peerLog) warn(e logEvent, log *zap.Logger, text string, fields ...zap.Field) {
	p.write(e, peerLine{log, zapcore.WarnLevel, text, fields})
}

func (p *peerLog) error(e logEvent, log *zap.Logger, text string, fields ...zap.Field) {
	p.write(e, peerLine{log, zapcore.ErrorLevel, text, fields})
}

// write writes the line, or counts it.
func (p *peerLog) write(e logEvent, line peerLine) {
	if p == nil || p.allow(e, line) {
		line.log.Log(line.level, line.text, line.fields...)
	}
}

func (p *peerLog) allow(e logEvent, line peerLine) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.limit.allow(e, line, time.Now())
}

// flush writes the sums that are due. The registry calls it now and then.
func (p *peerLog) flush() {
	if p == nil {
		return
	}
	p.mu.Lock()
	due := p.limit.due(time.Now())
	p.mu.Unlock()
	sumUp(due)
}

// close writes the sums of all that is left.
func (p *peerLog) close() {
	p.mu.Lock()
	rest := p.limit.rest()
	p.mu.Unlock()
	sumUp(rest)
}

// sumUp writes the newest of the lines that each sum stands for, with their number.
func sumUp(all []summary[peerLine]) {
	for _, s := range all {
		fields := append(s.last.fields[:len(s.last.fields):len(s.last.fields)], zap.Int("times", s.lines))
		s.last.log.Log(s.last.level, s.last.text, fields...)
	}
}
