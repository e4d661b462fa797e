package agent

import (
	"fmt"

	"go.uber.org/zap"
)

// recovered calls f. A panic is an error; the log has its stack. Goroutines call with it what may panic: nobody supervises them, and
// nothing but a stop ends a recorder.
func recovered(log *zap.Logger, what string, f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			log.Error(what+" panicked", zap.Any("panic", p), zap.Stack("stack"))
			err = fmt.Errorf("panic: %.200v", p)
		}
	}()
	return f()
}
