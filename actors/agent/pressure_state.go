package agent

import (
	"fmt"
	"time"
)

const (
	// maxPressureInterval bounds the time between two readings of the node's memory: it may grow from
	// the trigger to the limit within a scrape interval.
	maxPressureInterval = 5 * time.Second
	// memoryGrace is how long the memory may be unknown until that is logged: the node may be starting.
	memoryGrace = time.Minute
	// openAgain is the time between two attempts to use a directory that cannot be used.
	openAgain = time.Minute
	// captureWait is how long a capture may take: both of its profiles, and the disk. One that takes
	// longer hangs in the disk.
	captureWait = 2 * time.Minute
)

// captureResult is how a capture ended, as in metrics.
type captureResult string

const (
	captureWhole   captureResult = "captured"
	capturePartial captureResult = "partial"
	// captureFailed: the node gave no profile.
	captureFailed captureResult = "failed"
	// captureNoRoom: the limits leave no room beside what is always kept.
	captureNoRoom captureResult = "no_room"
	captureDisk   captureResult = "disk"
)

// captureResults are all results, in the order of metrics.
var captureResults = []captureResult{captureWhole, captureDisk, captureFailed, captureNoRoom, capturePartial}

// nodeMemory is the resident memory of the node, and the limit that it is under, in bytes. Neither is 0.
type nodeMemory struct{ resident, limit uint64 }

// threshold returns so many percent of the limit, at most 100.
func (m nodeMemory) threshold(percent uint32) uint64 {
	p := uint64(percent)
	return m.limit/100*p + m.limit%100*p/100
}

func (m nodeMemory) String() string {
	const mib = 1 << 20
	return fmt.Sprintf("%d of %d MiB of its memory", m.resident/mib, m.limit/mib)
}

// pressureUsage is what the directory of artifacts has.
type pressureUsage struct {
	artifacts int
	bytes     int64
	ignored   int
}

// captureOutcome is what became of a capture.
type captureOutcome struct {
	result captureResult
	// id is that of the artifact; cause is why it is not whole, or there is none.
	id, cause string
	evicted   int
	usage     *pressureUsage // nil: it is not known
}

// pressureState decides when the node's memory is read, and when its profiles are captured: when the
// resident memory is at or over the trigger's percentage of the limit. A capture is followed by a
// cool-down, whatever became of it: a node in trouble is not asked again and again.
type pressureState struct {
	interval, cooldown time.Duration
	percent            uint32
	// optional says that there may be no node: that its memory is unknown is not logged, until it was
	// known.
	optional bool

	opening, opened bool
	openNext        time.Time
	reading         bool
	capturing, hung bool
	captured        time.Time  // when the last capture began; zero: there was none
	trigger         nodeMemory // at that time

	memory  *nodeMemory // nil: not known
	unknown failureLog
	isTold  bool // unknown is in the log
	failure failureLog
	disk    failureLog

	counts     map[captureResult]uint64
	evicted    uint64
	diskErrors uint64
	usage      pressureUsage
}

// pressureEffect is something that the actor has to do.
type pressureEffect interface{ isPressureEffect() }

type (
	startOpen       struct{}
	startMemoryRead struct{}
	startCapture    struct {
		memory    nodeMemory
		threshold uint64
	}
	armPressure struct{ after time.Duration }
	logPressure struct{ logEntry }
)

func (startOpen) isPressureEffect()       {}
func (startMemoryRead) isPressureEffect() {}
func (startCapture) isPressureEffect()    {}
func (armPressure) isPressureEffect()     {}
func (logPressure) isPressureEffect()     {}

func newPressureState(scrapeInterval, cooldown time.Duration, percent uint32, optional bool) *pressureState {
	return &pressureState{interval: min(scrapeInterval, maxPressureInterval), cooldown: cooldown, percent: percent, optional: optional,
		counts: map[captureResult]uint64{}}
}

// due begins a reading, unless one is under way.
func (s *pressureState) due(now time.Time) []pressureEffect {
	effects := []pressureEffect{armPressure{s.interval}}
	if !s.opened && !s.opening && !now.Before(s.openNext) {
		s.opening = true
		effects = append(effects, startOpen{})
	}
	if !s.reading {
		s.reading = true
		effects = append(effects, startMemoryRead{})
	}
	if s.capturing && !s.hung && now.Sub(s.captured) >= captureWait {
		s.hung = true
		effects = append(effects, warnPressure("a capture of profiles hangs: until it ends, there will be no other one", "the disk or the node does not answer"))
	}
	return effects
}

// open takes the result of making the directory usable; an empty cause is success.
func (s *pressureState) open(usage pressureUsage, cause string, now time.Time) []pressureEffect {
	s.opening = false
	if cause != "" {
		s.openNext = now.Add(openAgain)
		return s.diskFailed(cause, now)
	}
	s.opened, s.usage = true, usage
	effects := s.diskWorks(now)
	if usage.ignored > 0 {
		effects = append(effects, warnPressure(fmt.Sprintf("%d directories are named like pressure profiles and are none: they are left alone", usage.ignored), ""))
	}
	return effects
}

// read takes a reading of the node's memory; an empty cause is success.
func (s *pressureState) read(memory nodeMemory, cause string, now time.Time) []pressureEffect {
	s.reading = false
	if cause != "" {
		s.memory = nil
		return s.memoryUnknown(cause, now)
	}
	s.memory, s.optional = &memory, false
	var effects []pressureEffect
	if lasted, times, was := s.unknown.end(now); was && s.isTold {
		effects = append(effects, logPressure{logEntry{text: "the node's memory is known again", lasted: lasted, times: times}})
	}
	s.isTold = false
	threshold := memory.threshold(s.percent)
	if memory.resident < threshold || s.capturing || !s.captured.IsZero() && now.Sub(s.captured) < s.cooldown {
		return effects
	}
	s.capturing, s.captured, s.trigger = true, now, memory
	return append(effects, startCapture{memory, threshold})
}

// memoryUnknown logs that the memory is not known, when that has lasted for a while.
func (s *pressureState) memoryUnknown(cause string, now time.Time) []pressureEffect {
	isNew := s.unknown.record(cause, now)
	if s.optional || now.Sub(s.unknown.since) < memoryGrace || s.isTold && !isNew {
		return nil
	}
	s.isTold = true
	return []pressureEffect{warnPressure("the node's memory is not known, so no profiles are captured when it runs short", cause)}
}

// captureEnded takes the outcome of the capture that is under way.
func (s *pressureState) captureEnded(o captureOutcome, now time.Time) []pressureEffect {
	s.capturing, s.hung = false, false
	s.counts[o.result]++
	s.evicted += uint64(o.evicted)
	if o.usage != nil {
		s.usage = *o.usage
	}
	switch o.result {
	case captureDisk:
		return s.diskFailed(o.cause, now)
	case captureFailed, captureNoRoom:
		if !s.failure.record(o.cause, now) {
			return nil
		}
		return []pressureEffect{warnPressure("the node uses "+s.trigger.String()+", and its profiles could not be captured", o.cause)}
	default:
		s.opened = true
		effects := s.diskWorks(now)
		if lasted, times, was := s.failure.end(now); was {
			effects = append(effects, logPressure{logEntry{text: "profiles of the node could be captured again", lasted: lasted, times: times}})
		}
		return append(effects, logPressure{logEntry{warn: o.cause != "", cause: o.cause,
			text: "the node uses " + s.trigger.String() + ": its profiles were captured as " + o.id}})
	}
}

func (s *pressureState) diskFailed(cause string, now time.Time) []pressureEffect {
	s.diskErrors++
	if !s.disk.record(cause, now) {
		return nil
	}
	return []pressureEffect{warnPressure("the directory of pressure profiles cannot be used (--pressure-profiler-dir)", cause)}
}

func (s *pressureState) diskWorks(now time.Time) []pressureEffect {
	lasted, times, was := s.disk.end(now)
	if !was {
		return nil
	}
	return []pressureEffect{logPressure{logEntry{text: "the directory of pressure profiles can be used again", lasted: lasted, times: times}}}
}

func warnPressure(text, cause string) logPressure {
	return logPressure{logEntry{warn: true, text: text, cause: cause}}
}
