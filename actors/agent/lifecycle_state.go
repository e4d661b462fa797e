package agent

import (
	"time"

	"fodc/messages"
)

// reportsTimeout is how long an answer waits for the reports. A read that takes longer counts as
// hanging.
const reportsTimeout = 2 * time.Second

// lifecycleState decides when the node is asked for its groups, and when the reports of its lifecycle
// runs are read: when somebody asks. There is one call and one read at a time, and their results
// answer all who have asked meanwhile. Groups are kept for a while, so that not every question is one
// to all nodes of the cluster.
type lifecycleState struct {
	hasPort, hasReports bool
	// isOptional says that there may be no service at the port. It ends when one was seen.
	isOptional bool
	ttl        time.Duration

	asked bool // somebody waits for an answer

	inspecting bool
	groups     lifecycleGroups
	kept       bool // groups are to be answered without another call

	reading bool
	hangs   bool
	reports lifecycleReports
	failure failureLog
}

// lifecycleGroups is what the node has answered: groupsErr is why it has not. Both are nil where the
// node does not serve the question.
type lifecycleGroups struct {
	groups    []messages.LifecycleGroup
	groupsErr error
}

// lifecycleReports is what was read: reportsErr says why that is not all.
type lifecycleReports struct {
	reports    []messages.LifecycleReport
	reportsErr error
}

// lifecycleEffect is something that the actor has to do.
type lifecycleEffect interface{ isLifecycleEffect() }

type (
	startInspect struct{}
	startReports struct{}
	// armReports arms the timer of the read that is under way, armForget that of the groups.
	armReports struct{ after time.Duration }
	armForget  struct{ after time.Duration }
	// answerLifecycle is sent to all who have asked.
	answerLifecycle struct {
		lifecycleGroups
		lifecycleReports
	}
	logLifecycle struct{ logEntry }
)

func (startInspect) isLifecycleEffect()    {}
func (startReports) isLifecycleEffect()    {}
func (armReports) isLifecycleEffect()      {}
func (armForget) isLifecycleEffect()       {}
func (answerLifecycle) isLifecycleEffect() {}
func (logLifecycle) isLifecycleEffect()    {}

// ask handles a question.
func (s *lifecycleState) ask() (effects []lifecycleEffect) {
	if s.asked {
		return nil
	}
	s.asked = true
	if s.hasPort && !s.kept && !s.inspecting {
		s.inspecting = true
		effects = append(effects, startInspect{})
	}
	if s.hasReports && !s.reading {
		s.reading = true
		effects = append(effects, startReports{}, armReports{reportsTimeout})
	}
	return append(effects, s.answer()...)
}

// inspected takes the node's answer; refused says that nothing listens at the port.
func (s *lifecycleState) inspected(g lifecycleGroups, refused bool) (effects []lifecycleEffect) {
	if s.isOptional = s.isOptional && refused; s.isOptional {
		g = lifecycleGroups{}
	}
	s.inspecting, s.groups = false, g
	if s.kept = g.groups != nil; s.kept {
		effects = append(effects, armForget{s.ttl})
	}
	return append(effects, s.answer()...)
}

// forget drops the groups: they are too old. An answer that waits for the reports has them yet.
func (s *lifecycleState) forget() {
	s.kept = false
	if !s.asked {
		s.groups = lifecycleGroups{}
	}
}

// read takes the reports.
func (s *lifecycleState) read(r lifecycleReports, now time.Time) []lifecycleEffect {
	s.reading, s.hangs, s.reports = false, false, r
	effects := append(s.logReports(now), s.answer()...)
	if !s.asked {
		s.reports = lifecycleReports{}
	}
	return effects
}

// readTimedOut marks the read that is under way as hanging: until it returns, answers have no reports.
func (s *lifecycleState) readTimedOut(hanging error, now time.Time) []lifecycleEffect {
	if !s.reading || s.hangs {
		return nil
	}
	s.hangs, s.reports = true, lifecycleReports{reportsErr: hanging}
	return append(s.logReports(now), s.answer()...)
}

// answer answers those who have asked, once all is there.
func (s *lifecycleState) answer() []lifecycleEffect {
	if !s.asked || s.inspecting || s.reading && !s.hangs {
		return nil
	}
	all := answerLifecycle{s.groups, s.reports}
	s.asked = false
	if !s.kept {
		s.groups = lifecycleGroups{}
	}
	if !s.hangs {
		s.reports = lifecycleReports{}
	}
	return []lifecycleEffect{all}
}

func (s *lifecycleState) logReports(now time.Time) []lifecycleEffect {
	if s.reports.reportsErr == nil {
		if lasted, times, was := s.failure.end(now); was {
			return []lifecycleEffect{logLifecycle{logEntry{text: "the lifecycle reports are read again", lasted: lasted, times: times}}}
		}
		return nil
	}
	cause := shortCause(s.reports.reportsErr)
	if !s.failure.record(cause, now) {
		return nil
	}
	return []lifecycleEffect{logLifecycle{logEntry{warn: true, text: "lifecycle reports cannot be read, or not all of them (--lifecycle-report-dir)", cause: cause}}}
}
