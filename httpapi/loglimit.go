package httpapi

import (
	"io"
	"log"
	"strings"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// How many lines a client may cause in a logInterval. What is over them is dropped: the
// metrics count it.
const (
	logInterval = 10 * time.Second
	// faultLines is for requests that failed by a fault of ours; each has a stack.
	faultLines = 100
	// connectionLines is for what http.Server has to say of connections.
	connectionLines = 10
)

// limited returns a logger that writes so many lines of each level and text in a
// logInterval, whatever their fields.
func limited(l *zap.Logger, lines int) *zap.Logger {
	return l.WithOptions(zap.WrapCore(func(c zapcore.Core) zapcore.Core {
		return zapcore.NewSamplerWithOptions(c, logInterval, lines, 0)
	}))
}

// connectionLog returns a logger for http.Server. Its lines are one text with the words as a
// field, as they name the peer.
func connectionLog(l *zap.Logger) *log.Logger {
	return log.New(connectionWriter{limited(l, connectionLines)}, "", 0)
}

type connectionWriter struct{ log *zap.Logger }

var _ io.Writer = connectionWriter{}

func (w connectionWriter) Write(line []byte) (int, error) {
	w.log.Warn("trouble with a connection", zap.String("error", strings.TrimSpace(string(line))))
	return len(line), nil
}
