package httpapi

import (
	"io"
	"log"
	"strings"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Limits of the lines that clients can cause in a logInterval. Further lines are dropped; the
// metrics count the requests all the same.
const (
	logInterval = 10 * time.Second
	// errorLines bounds the lines of internal errors; each may have a stack.
	errorLines = 100
	// connectionLines bounds what http.Server logs of connections.
	connectionLines = 10
)

// limited returns a logger that writes at most so many lines with the same level and message
// in a logInterval, whatever their fields.
func limited(l *zap.Logger, lines int) *zap.Logger {
	return l.WithOptions(zap.WrapCore(func(c zapcore.Core) zapcore.Core {
		return zapcore.NewSamplerWithOptions(c, logInterval, lines, 0)
	}))
}

// connectionLog returns a logger for http.Server. The limit counts lines by message, and each
// text of http.Server names another peer. So the lines have one message, and that text as a field.
func connectionLog(l *zap.Logger) *log.Logger {
	return log.New(connectionWriter{limited(l, connectionLines)}, "", 0)
}

type connectionWriter struct{ log *zap.Logger }

var _ io.Writer = connectionWriter{}

func (w connectionWriter) Write(line []byte) (int, error) {
	w.log.Warn("trouble with a connection", zap.String("error", strings.TrimSpace(string(line))))
	return len(line), nil
}
