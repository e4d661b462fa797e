package actors

import (
	"fmt"
	"reflect"
	"runtime/debug"
	"strings"
	"time"

	"fodc/messages"

	"go.uber.org/zap"
)

// Limits of what is kept of a failure, in bytes.
const (
	maxReasonBytes = 1 << 10
	maxStackBytes  = 16 << 10
)

// fail records a panic. It is called by the deferred function that recovered, while the
// stack still has the frames that panicked. If the message was an Ask, its caller gets
// ErrGone at once.
func (m *cell) fail(reason, msg any, sender *PID) {
	f := &messages.Failure{
		At:      time.Now(),
		Reason:  clip(fmt.Sprint(reason), maxReasonBytes),
		Message: typeName(msg),
		Stack:   clip(string(debug.Stack()), maxStackBytes),
	}
	m.mu.Lock()
	m.failures++
	m.last = f
	m.mu.Unlock()
	m.sys.table.countFailure(m.kind)
	m.sys.log.Error("actor failed", zap.String("actor", m.self.Id), zap.String("on", f.Message),
		zap.String("state", stateNames[m.state.Load()]),
		zap.String("policy", m.on.String()), zap.String("reason", f.Reason), zap.String("stack", f.Stack))
	if sender != nil && isAsk(sender) {
		m.sys.root.Send(sender, failedOn{f.Message})
	}
}

// stopForFailure records that the actor is stopped for its last panic, and returns that.
func (m *cell) stopForFailure() *messages.Failure {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stopReason = "failed on " + m.last.Message + ": " + m.last.Reason
	return m.last
}

func clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "..."
}

func typeName(msg any) string {
	if msg == nil {
		return "nil"
	}
	return reflect.TypeOf(msg).String()
}
