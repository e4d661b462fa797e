package actors

import (
	"sync/atomic"
	"time"
)

// lastArming numbers the armings of all timers of the process, so that a restarted value
// cannot mistake a tick of the old one for its own.
var lastArming atomic.Uint64

// Tick is the message of a Timer.
type Tick struct{ arming uint64 }

// Timer is one timer of an actor; the zero value is ready. A tick may still wait in the
// mailbox when the timer is armed again or disarmed; Fired is false for it.
type Timer struct {
	arming uint64 // 0: not armed
	timer  *time.Timer
}

// Arm sends the actor a Tick after d. It replaces an earlier arming.
func (t *Timer) Arm(c Context, d time.Duration) {
	t.Disarm()
	root, self, arming := c.ActorSystem().Root, c.Self(), lastArming.Add(1)
	t.arming = arming
	t.timer = time.AfterFunc(d, func() { root.Send(self, Tick{arming}) })
}

// Disarm cancels the timer. Call it in *Stopping and *Restarting.
func (t *Timer) Disarm() {
	t.arming = 0
	if t.timer != nil {
		t.timer.Stop()
		t.timer = nil
	}
}

// Fired reports whether k is the tick of the newest arming. It is true once for each.
func (t *Timer) Fired(k Tick) bool {
	if t.arming == 0 || t.arming != k.arming {
		return false
	}
	t.arming, t.timer = 0, nil
	return true
}
