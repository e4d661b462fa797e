package agent

import (
	"fmt"

	"go.uber.org/zap"
)

// writeEntry writes an entry that a state machine returned.
func writeEntry(log *zap.Logger, n logEntry) {
	var fields []zap.Field
	if n.cause != "" {
		fields = append(fields, zap.String("cause", n.cause))
	}
	if n.times > 0 {
		fields = append(fields, zap.Duration("lasted", n.lasted), zap.Int("times", n.times))
	}
	if n.warn {
		log.Warn(n.text, fields...)
	} else {
		log.Info(n.text, fields...)
	}
}

// unknownMessage logs a message that an actor does not handle. That is a programming error.
func unknownMessage(log *zap.Logger, m any) {
	log.Error("message without a handler", zap.String("type", fmt.Sprintf("%T", m)))
}
