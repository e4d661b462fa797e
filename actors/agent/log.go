package agent

import (
	"fmt"

	"go.uber.org/zap"
)

// logNote writes what a state has to tell.
func logNote(log *zap.Logger, n note) {
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

// unknownMessage reports a message that an actor has no case for: a mistake of ours.
func unknownMessage(log *zap.Logger, m any) {
	log.Error("message without a handler", zap.String("type", fmt.Sprintf("%T", m)))
}
