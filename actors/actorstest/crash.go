package actorstest

import (
	"reflect"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// CrashReason is what an actor panics with that was sent a Crash.
const CrashReason = "a test made it panic"

// Crash is a message that makes an actor panic, if the log of its system is fragile:
// no actor has a case for it, and what actors write of such a message panics there.
type Crash struct{}

// unhandled is what every actor writes of a message that it has no case for, with the
// message's type.
const unhandled = "message without a handler"

// Fragile returns the log with a weak spot for Crash. The log of Run has it.
func Fragile(log *zap.Logger) *zap.Logger {
	return log.WithOptions(zap.WrapCore(func(c zapcore.Core) zapcore.Core { return fragileCore{c} }))
}

type fragileCore struct{ zapcore.Core }

func (f fragileCore) With(fields []zapcore.Field) zapcore.Core {
	return fragileCore{f.Core.With(fields)}
}

// Enabled lets errors in: the log may be one that drops all.
func (f fragileCore) Enabled(l zapcore.Level) bool { return l == zap.ErrorLevel || f.Core.Enabled(l) }

func (f fragileCore) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if e.Message == unhandled {
		return checked.AddCore(e, f)
	}
	return f.Core.Check(e, checked)
}

func (f fragileCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	for _, field := range fields {
		if field.String == reflect.TypeFor[Crash]().String() {
			panic(CrashReason)
		}
	}
	return f.Core.Write(e, fields)
}
