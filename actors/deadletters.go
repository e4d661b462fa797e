package actors

import (
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"go.uber.org/zap"
)

// deadLetterLogInterval is how often dead letters of one type are logged at most.
const deadLetterLogInterval = time.Minute

// deadLetters counts the messages that were sent to an actor that is gone, and logs their
// types. A few are normal: a message may be under way when its receiver ends.
type deadLetters struct {
	log   *zap.Logger
	total atomic.Uint64
	late  atomic.Uint64

	mu     sync.Mutex
	byType map[reflect.Type]*typeCount
}

type typeCount struct {
	count int
	since time.Time // the last line
}

func newDeadLetters(log *zap.Logger) *deadLetters {
	return &deadLetters{log: log, byType: map[reflect.Type]*typeCount{}}
}

// add is called in the goroutine of the sender, or of the actor that has ended.
func (d *deadLetters) add(to *PID, msg any) {
	switch msg.(type) {
	case actor.SystemMessage, actor.MailboxMessage, actor.AutoReceiveMessage, *actor.DeadLetterResponse, failedOn:
		return // messages of the runtime
	}
	if to != nil && isAsk(to) {
		d.late.Add(1)
		return
	}
	d.total.Add(1)
	if n := d.due(reflect.TypeOf(msg), time.Now()); n > 0 {
		d.log.Info("dead letters", zap.String("type", typeName(msg)), zap.String("to", to.GetId()), zap.Int("count", n))
	}
}

// due counts a letter, and returns the number to log now; 0: log nothing.
func (d *deadLetters) due(of reflect.Type, now time.Time) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.byType[of]
	if u == nil {
		u = &typeCount{since: now.Add(-deadLetterLogInterval)}
		d.byType[of] = u
	}
	u.count++
	if now.Sub(u.since) < deadLetterLogInterval {
		return 0
	}
	n := u.count
	u.count, u.since = 0, now
	return n
}
