package modes

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"fodc/modes/logsink"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zapgrpc"
	"google.golang.org/grpc/grpclog"
)

const (
	formatConsole = "console"
	formatJSON    = "json"
)

// logConfig is how the program logs.
type logConfig struct {
	// level is the lowest level that is logged: debug, info, warn or error. Default info.
	level string
	// format is console, for people, or json. Default console.
	format string
}

func logOptions(c *logConfig) []*option {
	return []*option{
		choiceOption(&c.level, "log-level", "info", "lowest `LEVEL` that is logged: debug, info, warn or error",
			[]string{"debug", "info", "warn", "error"}),
		choiceOption(&c.format, "log-format", formatConsole, "`FORMAT` of the log: console or json",
			[]string{formatConsole, formatJSON}),
	}
}

// programLog is the log of the process. Writing to it never blocks.
type programLog struct {
	*zap.Logger
	sink *logsink.Sink
}

// newLogger returns a log that writes to w, one line for each entry, with the time in ISO
// 8601. Close it to flush it. Everything in this process that logs uses it.
func newLogger(w io.Writer, c logConfig) (programLog, error) {
	level, err := zapcore.ParseLevel(c.level)
	if err != nil {
		return programLog{}, err
	}
	fields := zapcore.EncoderConfig{
		TimeKey: "time", LevelKey: "level", NameKey: "logger", MessageKey: "msg",
		EncodeTime:     zapcore.ISO8601TimeEncoder,
		EncodeLevel:    zapcore.LowercaseLevelEncoder,
		EncodeDuration: zapcore.StringDurationEncoder,
		EncodeName:     zapcore.FullNameEncoder,
	}
	encoder := logsink.NewConsoleEncoder(fields)
	if c.format == formatJSON {
		encoder = logsink.NewJSONEncoder(fields)
	}
	sink := logsink.New(w, func(dropped uint64) []byte { return gapLine(encoder.Clone(), dropped) })
	return programLog{zap.New(zapcore.NewCore(encoder, sink, level), zap.ErrorOutput(sink)), sink}, nil
}

// gapLine returns the line that stands in place of dropped lines. It is written whatever the
// log level is, since the dropped lines may have been errors.
func gapLine(encoder zapcore.Encoder, dropped uint64) []byte {
	entry := zapcore.Entry{Level: zapcore.WarnLevel, Time: time.Now(), LoggerName: "log",
		Message: "lines of the log are missing here: nobody read it, or it could not be written"}
	line, err := encoder.EncodeEntry(entry, []zapcore.Field{zap.Uint64("lines", dropped)})
	if err != nil {
		return fmt.Appendf(nil, "%d lines of the log are missing here\n", dropped)
	}
	defer line.Free()
	return bytes.Clone(line.Bytes())
}

// dropped returns how many lines could not be written since the start.
func (l programLog) dropped() uint64 { return l.sink.Dropped() }

// close flushes the log, and drops what comes later.
func (l programLog) close() { l.sink.Close() }

// grpcLogger returns the logger for the gRPC library: the log if its level is debug, else one
// that discards. Failures of streams are logged by the actors, once each.
func grpcLogger(log *zap.Logger) grpclog.LoggerV2 {
	if log.Core().Enabled(zapcore.DebugLevel) {
		return zapgrpc.NewLogger(log.Named("grpc"))
	}
	return grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard)
}
