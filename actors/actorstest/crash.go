package actorstest

import (
	"reflect"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// CrashReason is the reason of the panic that a Crash causes.
const CrashReason = "a test made it panic"

// Crash is a message that makes any actor panic whose system logs to PanicOnCrash. No actor
// has a case for it, so the actor logs it as unhandled, and that log call panics.
type Crash struct{}

// unhandled is what every actor logs for a message that it has no case for, with the type of
// the message.
const unhandled = "message without a handler"

// PanicOnCrash returns a log that panics when an actor logs a Crash. Run uses one.
func PanicOnCrash(log *zap.Logger) *zap.Logger {
	return log.WithOptions(zap.WrapCore(func(c zapcore.Core) zapcore.Core { return crashCore{c} }))
}

type crashCore struct{ zapcore.Core }

func (f crashCore) With(fields []zapcore.Field) zapcore.Core {
	return crashCore{f.Core.With(fields)}
}

// Enabled lets errors in: the log may be one that drops all.
func (f crashCore) Enabled(l zapcore.Level) bool { return l == zap.ErrorLevel || f.Core.Enabled(l) }

func (f crashCore) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if e.Message == unhandled {
		return checked.AddCore(e, f)
	}
	return f.Core.Check(e, checked)
}

func (f crashCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	for _, field := range fields {
		if field.String == reflect.TypeFor[Crash]().String() {
			panic(CrashReason)
		}
	}
	return f.Core.Write(e, fields)
}
