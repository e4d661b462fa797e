package agent

import "time"

const (
	// processPause is how often the node's process is looked for while none is watched, watchPause how long a process is left
	// that cannot be watched. lookPause is how often it is looked whether the one that is watched is still the node's.
	processPause = time.Second
	watchPause   = 10 * time.Second
	lookPause    = 10 * time.Second
	// afterDeathPause is how often it is looked for right after a death, for afterDeathTime: most nodes are started again at once.
	afterDeathPause = 100 * time.Millisecond
	afterDeathTime  = 2 * time.Second
)

// found takes what a look has found; nil: there is no process of the node. A process in place of one that still runs, as after a pid
// file of yesterday, is watched instead if a second look finds it, too: the end of the first would be told by then.
func (s *kernelEventsState) found(p *nodeProcess, now time.Time) []kernelEffect {
	s.looking = false
	switch {
	case p == nil && s.process == nil:
		s.lookAt = now.Add(s.pause(now))
		return nil
	case s.process != nil && (p == nil || *p == *s.process):
		s.other = nil
		s.lookAt = now.Add(lookPause)
		return nil
	case s.process != nil && (s.other == nil || *p != *s.other):
		s.other = p
		s.lookAt = now.Add(lookPause)
		return nil
	}
	s.process, s.other, s.followed, s.told = p, nil, false, false
	s.lookAt = now.Add(lookPause)
	return []kernelEffect{watchProcess{*p}}
}

func (s *kernelEventsState) pause(now time.Time) time.Duration {
	if !s.diedAt.IsZero() && now.Sub(s.diedAt) < afterDeathTime {
		return afterDeathPause
	}
	return processPause
}

// following takes whether the tracer tells of the process; cause is why not.
func (s *kernelEventsState) following(p nodeProcess, cause string, now time.Time) []kernelEffect {
	if s.process == nil || *s.process != p {
		return nil
	}
	if s.followed = cause == ""; s.followed {
		s.counts.traced = true
		s.follow.end(now)
		return nil
	}
	if s.follow.record(cause, now) {
		return []kernelEffect{logKernelEvent{logEntry{warn: true, text: "who sends signals to the node's process is not known", cause: cause}}}
	}
	return nil
}

// notWatched takes that a process cannot be watched, and why; no cause: it has ended before it could be, or another one has its id.
func (s *kernelEventsState) notWatched(p nodeProcess, cause string, now time.Time) (effects []kernelEffect) {
	if s.process == nil || *s.process != p {
		return nil
	}
	s.process, s.other, s.lookAt = nil, nil, now.Add(s.pause(now))
	if cause == "" {
		return nil
	}
	s.lookAt = now.Add(watchPause)
	if s.watching.record(cause, now) {
		effects = append(effects, logKernelEvent{logEntry{warn: true, text: "the node's process cannot be watched: it may end unnoticed", cause: cause}})
	}
	return effects
}
