package agent

import (
	"cmp"
	"strconv"
	"time"

	"fodc/recorder"
)

const (
	// tracerGrace is how long the exit that a pidfd tells of waits for what the tracer tells of it, if that follows the process.
	// lateTracer is for how long it is the same one if it comes after that.
	tracerGrace = 100 * time.Millisecond
	lateTracer  = 5 * time.Second
	// maxEventsPerMinute bounds the events that are recorded and logged. All are counted.
	maxEventsPerMinute = 30
)

// nodeProcess is a process that is the node: its id, its start time in clock ticks since the host's start, and its name.
type nodeProcess struct {
	pid     int
	started uint64
	comm    string
}

// kernelEventsState decides what becomes of the ends of the node's process and of what leads to them.
type kernelEventsState struct {
	// process is the one that is watched; nil: none is. followed says that the tracer tells of it, told that its exit is known.
	process        *nodeProcess
	followed, told bool
	looking        bool
	lookAt, diedAt time.Time
	// other is a process that was found in its place; nil: none was.
	other *nodeProcess
	// held is the exit of a process that waits for what the tracer tells of it, until heldUntil.
	held      *kernelEvent
	heldUntil time.Time
	// untraced is when an exit was told of without what the tracer might tell later; zero: there is none.
	untraced time.Time
	// last has the process of the newest death, for what is told after it.
	last  nodeProcess
	death *death // nil: nothing has begun
	// ending is a death without its exit yet; nil: there is none.
	ending *death

	counts   kernelCounts
	minute   time.Time // when the minute began in which recorded events are counted
	recorded int
	watching failureLog
	follow   failureLog
}

// kernelEffect is something that the actor has to do.
type kernelEffect interface{ isKernelEffect() }

type (
	// findProcess looks for the node's process.
	findProcess struct{}
	// watchProcess follows the process, and waits for its end.
	watchProcess struct{ process nodeProcess }
	// recordEvent has an event recorded.
	recordEvent struct{ event recorder.Event }
	// openDeath opens an incident, or joins one that is open.
	openDeath struct{ alert ruleAlert }
	// tellCrash tells of the end of the process whose crash may be known.
	tellCrash      struct{ exit crashExit }
	logKernelEvent struct{ logEntry }
)

func (findProcess) isKernelEffect()    {}
func (watchProcess) isKernelEffect()   {}
func (recordEvent) isKernelEffect()    {}
func (openDeath) isKernelEffect()      {}
func (tellCrash) isKernelEffect()      {}
func (logKernelEvent) isKernelEffect() {}

func newKernelEventsState(now time.Time) *kernelEventsState {
	return &kernelEventsState{lookAt: now, counts: newKernelCounts()}
}

// due does what the time has come for.
func (s *kernelEventsState) due(now time.Time) (effects []kernelEffect) {
	if s.held != nil && !now.Before(s.heldUntil) {
		e := s.held
		s.held, s.untraced = nil, now
		effects = s.happened(e, now)
	}
	if s.death != nil && !now.Before(s.death.until) {
		effects = append(effects, s.died()...)
	}
	if !s.looking && !now.Before(s.lookAt) {
		s.looking = true
		effects = append(effects, findProcess{})
	}
	return effects
}

// nextDue returns when due is to be called; zero: not before something happens.
func (s *kernelEventsState) nextDue() (at time.Time) {
	add := func(is bool, t time.Time) {
		if is && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	add(s.held != nil, s.heldUntil)
	add(s.death != nil, s.deathUntil())
	add(!s.looking, s.lookAt)
	return at
}

func (s *kernelEventsState) deathUntil() time.Time {
	if s.death == nil {
		return time.Time{}
	}
	return s.death.until
}

// exited takes the exit that a pidfd tells of.
func (s *kernelEventsState) exited(p nodeProcess, e kernelEvent, now time.Time) []kernelEffect {
	if s.process == nil || *s.process != p {
		return nil
	}
	told, followed := s.told, s.followed
	s.last, s.process, s.other, s.followed, s.told = p, nil, nil, false, false
	s.diedAt, s.lookAt, s.watching = now, now.Add(afterDeathPause), failureLog{}
	switch {
	case told:
		return nil
	case followed:
		s.held, s.heldUntil = &e, now.Add(tracerGrace)
		return nil
	}
	s.untraced = now // The tracer may have been about to follow it.
	return s.happened(&e, now)
}

// traced takes an event of the tracer.
func (s *kernelEventsState) traced(e kernelEvent, now time.Time) []kernelEffect {
	if e.Kind == kernelExit {
		switch {
		case s.held != nil:
			s.held = nil
		case s.process != nil && !s.told:
			s.told = true
		case !s.untraced.IsZero() && now.Sub(s.untraced) < lateTracer:
			s.untraced = time.Time{}
			return nil
		}
	}
	return s.happened(&e, now)
}

// happened takes an event, once.
func (s *kernelEventsState) happened(e *kernelEvent, now time.Time) (effects []kernelEffect) {
	s.counts.add(e)
	if s.mayRecord(now) {
		event := recorderEvent(e)
		_, text := kernelTimeline(&event)
		effects = []kernelEffect{recordEvent{event}, logKernelEvent{logEntry{warn: true, text: text}}}
	}
	switch {
	case e.Kind == kernelMemoryKill && e.Victim != victimNode: // It need not be for lack of memory of the host: control groups have limits.
		return effects
	case e.Kind == kernelSignal && !endsProcess(e.Signal):
		return effects
	}
	if s.death == nil {
		s.death = &death{process: s.nodeText(e), until: now.Add(deathTime)}
	}
	if e.Kind == kernelExit {
		s.death.follows(s.ending, e.At)
		s.ending = nil
	}
	if e.Kind == kernelSignal && isRequest(e.Signal) && !s.death.asked { // The process may take its time to end.
		s.death.asked = true
		asked := death{process: s.death.process, signal: e, began: e.At}
		if a, is := asked.alert(); is {
			effects = append(effects, openDeath{a})
		}
	}
	s.death.add(e)
	return effects
}

// node returns the process that is watched, or was last.
func (s *kernelEventsState) node() nodeProcess {
	if s.process != nil {
		return *s.process
	}
	return s.last
}

// nodeText returns the node's process, of an event of it, for sentences: "banyand, 4711". Its id is that which the agent sees, if
// that is known.
func (s *kernelEventsState) nodeText(e *kernelEvent) string {
	p := s.node()
	comm, pid := printableProcess(cmp.Or(e.Comm, p.comm)), strconv.Itoa(cmp.Or(p.pid, e.PID))
	if comm == "" {
		return pid
	}
	return comm + ", " + pid
}

// died ends what belongs to one death.
func (s *kernelEventsState) died() (effects []kernelEffect) {
	d := s.death
	s.death = nil
	a, is := d.alert()
	if is && d.exit == nil {
		s.ending = d
	}
	if !is || d.exit == nil && d.kill == nil && isRequest(d.signal.Signal) { // A request has opened an incident at once.
		return nil
	}
	effects = append(effects, openDeath{a})
	if e, is := d.crashOf(s.node().pid, a.summary); is {
		effects = append(effects, tellCrash{e})
	}
	return effects
}

// mayRecord counts an event that is to be recorded, and reports whether it may be.
func (s *kernelEventsState) mayRecord(now time.Time) bool {
	if now.Sub(s.minute).Abs() >= time.Minute {
		s.minute, s.recorded = now, 0
	}
	s.recorded++
	return s.recorded <= maxEventsPerMinute
}

// tracerEnded takes that the tracer tells of nothing any more.
func (s *kernelEventsState) tracerEnded(cause string) []kernelEffect {
	s.followed = false
	return []kernelEffect{logKernelEvent{logEntry{warn: true, text: "who sends signals to the node's process is not known any more", cause: cause}}}
}
