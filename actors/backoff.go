package actors

import "time"

// Backoff says how long a failed actor waits before it is restarted, and how often.
type Backoff struct {
	Base   time.Duration // the wait after a first failure; doubled after each further one
	Cap    time.Duration // the longest wait
	Max    int           // failures within Window that are followed by a restart
	Window time.Duration // a failure that is older counts no more
}

// delay returns the wait after the n-th failure (1 is the first) within the window.
// The upper half of it is chance, so that actors that failed together do not return
// together: chance is in [0, 1).
func (b Backoff) delay(n int, chance float64) time.Duration {
	d := min(b.Base, b.Cap)
	for i := 1; i < n && 0 < d && d < b.Cap; i++ {
		d += min(d, b.Cap-d) // doubled, without an overflow
	}
	return d/2 + time.Duration(chance*float64(d-d/2))
}

// within returns the failures that still count, with one that happens now.
func (b Backoff) within(failures []time.Time, now time.Time) []time.Time {
	for len(failures) > 0 && now.Sub(failures[0]) >= b.Window {
		failures = failures[1:]
	}
	return append(failures, now)
}

type policy int

const (
	stopIt policy = iota
	resumeIt
	restartIt
)

// OnFailure says what becomes of an actor that panicked. The zero value stops it.
type OnFailure struct {
	policy  policy
	backoff Backoff
}

// ResumeOnFailure lets the same value go on with the next message. It is for an actor
// whose state is worth more than the doubt about it.
func ResumeOnFailure() OnFailure { return OnFailure{policy: resumeIt} }

// RestartOnFailure lets a new value go on with the next message, after a wait. Past
// b.Max failures within b.Window the actor is stopped and System.Fatal gets an error.
func RestartOnFailure(b Backoff) OnFailure { return OnFailure{policy: restartIt, backoff: b} }

// String names the policy for the log.
func (o OnFailure) String() string {
	return [...]string{stopIt: "stop", resumeIt: "resume", restartIt: "restart"}[o.policy]
}
