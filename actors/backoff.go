package actors

import "time"

// Backoff says how long a failed actor waits before it is restarted, and how often.
type Backoff struct {
	Base   time.Duration // the wait after a first failure; doubled after each further one
	Cap    time.Duration // the longest wait
	Max    int           // failures within Window that are followed by a restart
	Window time.Duration // older failures do not count
}

// delay returns the wait after the n-th failure (1 is the first) within the window. Half of
// it is jitter, so that actors that failed together do not restart together; chance, in
// [0, 1), is the random number for that.
func (b Backoff) delay(n int, chance float64) time.Duration {
	d := min(b.Base, b.Cap)
	for i := 1; i < n && 0 < d && d < b.Cap; i++ {
		d += min(d, b.Cap-d) // doubled, without an overflow
	}
	return d/2 + time.Duration(chance*float64(d-d/2))
}

// within returns the failures within the window, and adds one at now.
func (b Backoff) within(failures []time.Time, now time.Time) []time.Time {
	for len(failures) > 0 && now.Sub(failures[0]) >= b.Window {
		failures = failures[1:]
	}
	return append(failures, now)
}

type policy int

const (
	policyStop policy = iota
	policyResume
	policyRestart
)

// OnFailure is what the supervisor does with an actor that panicked. The zero value stops it.
type OnFailure struct {
	policy  policy
	backoff Backoff
}

// ResumeOnFailure keeps the value, which goes on with the next message. It is for an actor
// whose state is too valuable to lose, even if a panic has left it in doubt.
func ResumeOnFailure() OnFailure { return OnFailure{policy: policyResume} }

// RestartOnFailure waits, and goes on with a new value and the next message. After more than
// b.Max failures within b.Window the actor is stopped and System.Fatal gets an error.
func RestartOnFailure(b Backoff) OnFailure { return OnFailure{policy: policyRestart, backoff: b} }

// String names the policy for the log.
func (o OnFailure) String() string {
	return [...]string{policyStop: "stop", policyResume: "resume", policyRestart: "restart"}[o.policy]
}
