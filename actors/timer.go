package actors

import (
	"sync/atomic"
	"time"
)

// armings counts those of the whole process, so that a restarted value cannot take a
// tick of the old one for its own.
var armings atomic.Uint64

// Tick is the message of a Timer.
type Tick struct{ arming uint64 }

// Timer is one timer of an actor; the zero value is ready. A tick may wait in the
// mailbox while the timer is armed anew or disarmed: Fired knows it by then.
type Timer struct {
	arming uint64 // 0: not armed
	timer  *time.Timer
}

// Arm sends the actor a Tick after d, in place of one that was to come.
func (t *Timer) Arm(c Context, d time.Duration) {
	t.Disarm()
	root, self, arming := c.ActorSystem().Root, c.Self(), armings.Add(1)
	t.arming = arming
	t.timer = time.AfterFunc(d, func() { root.Send(self, Tick{arming}) })
}

// Disarm takes the timer back. Call it in *Stopping and *Restarting.
func (t *Timer) Disarm() {
	t.arming = 0
	if t.timer != nil {
		t.timer.Stop()
		t.timer = nil
	}
}

// Fired tells whether k is the tick of the newest arming. It does so once.
func (t *Timer) Fired(k Tick) bool {
	if t.arming == 0 || t.arming != k.arming {
		return false
	}
	t.arming, t.timer = 0, nil
	return true
}
