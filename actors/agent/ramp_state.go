package agent

import (
	"fmt"
	"slices"
	"time"
)

const (
	// rampInterval is the time between two readings of the node's memory: it may grow from half of its limit to all of
	// it within ten seconds.
	rampInterval = 2 * time.Second
	// A ramp begins at rampPercent of the limit, and ends under rampEndPercent. Between two captures the memory grows by
	// rampStepPercent of the limit at least, and rampPause goes by.
	rampPercent     = 60
	rampEndPercent  = 50
	rampStepPercent = 5
	rampPause       = 30 * time.Second
	// maxRamps bounds the ramps that begin in rampsTime: the memory of some nodes goes up and down all the time. Of
	// further ones nothing is captured under the highest memory of the one before.
	maxRamps  = 6
	rampsTime = time.Hour
)

// rampState decides when profiles are captured while the node's memory grows, without an incident: at each new
// high of it. A capture is not tried again, whatever became of it.
type rampState struct {
	memory  *nodeMemory // nil: not known
	reading bool
	// capturing is since when a capture is under way; zero: none is. hung says that this was logged.
	capturing time.Time
	hung      bool

	// began is when the ramp began; zero: there is none. high is the memory at its last capture, in bytes.
	began time.Time
	high  uint64
	last  time.Time   // when the last capture began, of any ramp
	ramps []time.Time // when the last ramps began
	at    nodeMemory  // at the last capture

	failure  failureLog
	captures map[captureResult]uint64
}

// rampEffect is something that the actor has to do.
type rampEffect interface{ isRampEffect() }

type (
	readRampMemory struct{}
	captureRamp    struct {
		memory nodeMemory
		began  time.Time // of the ramp
	}
	logRamp struct{ logEntry }
)

func (readRampMemory) isRampEffect() {}
func (captureRamp) isRampEffect()    {}
func (logRamp) isRampEffect()        {}

func newRampState() *rampState { return &rampState{captures: map[captureResult]uint64{}} }

// due begins a reading, unless one is under way.
func (s *rampState) due(now time.Time) (effects []rampEffect) {
	if !s.reading {
		s.reading = true
		effects = append(effects, readRampMemory{})
	}
	if !s.capturing.IsZero() && !s.hung && now.Sub(s.capturing) >= captureWait {
		s.hung = true
		effects = append(effects, logRamp{logEntry{warn: true, text: "a capture of profiles while the node's memory grows hangs: until it ends, there will be no other one",
			cause: "the disk or the node does not answer"}})
	}
	return effects
}

// read takes a reading of the node's memory; nil: it is not known.
func (s *rampState) read(m *nodeMemory, now time.Time) []rampEffect {
	s.reading, s.memory = false, m
	if m == nil {
		return nil // The node may be busy with its end. The ramp goes on.
	}
	if m.resident < m.threshold(rampEndPercent) {
		s.began = time.Time{}
		return nil
	}
	if m.resident < m.threshold(rampPercent) || !s.capturing.IsZero() || !s.last.IsZero() && now.Sub(s.last) < rampPause {
		return nil
	}
	if s.began.IsZero() {
		s.begin(now)
	}
	if s.high > 0 && m.resident < s.high+m.threshold(rampStepPercent) {
		return nil
	}
	s.high, s.last, s.capturing, s.at = m.resident, now, now, *m
	return []rampEffect{captureRamp{*m, s.began}}
}

// begin begins a ramp.
func (s *rampState) begin(now time.Time) {
	s.began = now
	s.ramps = slices.DeleteFunc(s.ramps, func(at time.Time) bool { return now.Sub(at) >= rampsTime })
	if len(s.ramps) < maxRamps {
		s.ramps, s.high = append(s.ramps, now), 0
	}
}

// captured takes what became of the capture that is under way; cause is why it has no profile, or not all.
func (s *rampState) captured(result captureResult, cause string, now time.Time) []rampEffect {
	s.capturing, s.hung = time.Time{}, false
	s.captures[result]++
	if result == captureFailed {
		if !s.failure.record(cause, now) {
			return nil
		}
		return []rampEffect{logRamp{logEntry{warn: true, text: "the node uses " + s.at.String() + ", and its profiles could not be captured for an incident that may follow", cause: cause}}}
	}
	lasted, times, was := s.failure.end(now)
	entry := logEntry{text: fmt.Sprintf("the node uses %s: its profiles were captured for an incident that may follow", s.at), cause: cause}
	if was {
		entry.lasted, entry.times = lasted, times
	}
	return []rampEffect{logRamp{entry}}
}
