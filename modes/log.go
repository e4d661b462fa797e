package modes

import (
	"io"

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
	// Level is the least that is logged: debug, info, warn or error. Default info.
	level string
	// Format is console, for people, or json. Default console.
	format string
}

func logOptions(c *logConfig) []*option {
	return []*option{
		choiceOption(&c.level, "log-level", "info", "least `LEVEL` that is logged: debug, info, warn or error",
			[]string{"debug", "info", "warn", "error"}),
		choiceOption(&c.format, "log-format", formatConsole, "`FORMAT` of the log: console or json",
			[]string{formatConsole, formatJSON}),
	}
}

// newLogger writes to w, one line an entry, with the time in ISO 8601.
func newLogger(w io.Writer, c logConfig) (*zap.Logger, error) {
	level, err := zapcore.ParseLevel(c.level)
	if err != nil {
		return nil, err
	}
	fields := zapcore.EncoderConfig{
		TimeKey: "time", LevelKey: "level", NameKey: "logger", MessageKey: "msg",
		EncodeTime:     zapcore.ISO8601TimeEncoder,
		EncodeLevel:    zapcore.LowercaseLevelEncoder,
		EncodeDuration: zapcore.StringDurationEncoder,
		EncodeName:     zapcore.FullNameEncoder,
	}
	encoder := zapcore.NewConsoleEncoder(fields)
	if c.format == formatJSON {
		encoder = zapcore.NewJSONEncoder(fields)
	}
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(w)), level)), nil
}

// grpcLogger is where the gRPC library writes what it thinks: to the log if that is
// at debug, else nowhere. What goes wrong with a stream our own log says, once.
func grpcLogger(log *zap.Logger) grpclog.LoggerV2 {
	if log.Core().Enabled(zapcore.DebugLevel) {
		return zapgrpc.NewLogger(log.Named("grpc"))
	}
	return grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard)
}
