package proxy

import (
	"sync"
	"time"

	"fodc/messages"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"google.golang.org/grpc/status"
)

// How many lines an event may write in a logInterval.
const (
	// strangerLines is for peers that are rejected.
	strangerLines = 1
	// agentLines is for the life of agents: a hundred that start at once have a line each.
	agentLines = 100
	// faultLines is for faults in the messages of agents.
	faultLines = 10
)

// The events of registered agents. Those of rejected peers are made of the reason, see
// peerLog.refused and service.rejectStream.
var (
	logRegistered    = logEvent{"registered", agentLines}
	logCheckAccepted = logEvent{"check accepted", strangerLines}
	logBack          = logEvent{"back online", agentLines}
	logGoodbye       = logEvent{"goodbye", agentLines}
	logSessionEnded  = logEvent{"session ended", agentLines}
	logSilent        = logEvent{"silent", agentLines}
	logRemoved       = logEvent{"removed", agentLines}
	logEvicted       = logEvent{"evicted", faultLines}
	logDisplaced     = logEvent{"displaced", faultLines}
	logDuplicateID   = logEvent{"duplicate node id", faultLines}
	logTooLarge      = logEvent{"answer too large", faultLines}
	logBrokenFrame   = logEvent{"broken frame", faultLines}
	logInvalidSeries = logEvent{"invalid series", faultLines}
	logTooManySeries = logEvent{"too many series", faultLines}
	logCrash         = logEvent{"crash", agentLines}
	logIncident      = logEvent{"incident", agentLines}
	logLostFamilies  = logEvent{"unknown families", faultLines}
)

// What the log says of a registration that does not become a session, and of one that was only tried.
const (
	textRefused      = "registration refused"
	textCheckRefused = "a registration that was only tried would be refused"
)

// peerLog writes the log lines that peers can cause, limited by a logLimit. Handlers of streams
// and actors share it, and it survives the restart of an actor. A nil *peerLog has no limit.
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

// refused logs a registration that is refused. Each reason has a limit of its own.
func (p *peerLog) refused(text string, log *zap.Logger, peer messages.Address, err error) {
	why, counts := rejectionOf(err)
	if !counts {
		why = rejectedFailed
	}
	p.warn(logEvent{text + ": " + string(why), strangerLines}, log, text, zap.String("reason", string(why)), zap.String("peer", peer.String()),
		zap.String("error", status.Convert(err).Message()))
}

// write writes the line if the limit allows it.
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

// flush writes the summaries that are due. The registry calls it every sweepInterval.
func (p *peerLog) flush() {
	if p == nil {
		return
	}
	p.mu.Lock()
	due := p.limit.due(time.Now())
	p.mu.Unlock()
	writeSummaries(due)
}

// close writes the summaries of all suppressed lines.
func (p *peerLog) close() {
	p.mu.Lock()
	remaining := p.limit.remaining()
	p.mu.Unlock()
	writeSummaries(remaining)
}

// writeSummaries writes the last line of each summary with the number of suppressed lines.
func writeSummaries(all []summary[peerLine]) {
	for _, s := range all {
		fields := append(s.last.fields[:len(s.last.fields):len(s.last.fields)], zap.Int("times", s.lines))
		s.last.log.Log(s.last.level, s.last.text, fields...)
	}
}
