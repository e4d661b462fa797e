package agent

import (
	"strings"
	"time"

	"fodc/messages"
)

// configPatience is how long those who ask for the node's configuration wait for a
// read. One that takes longer hangs.
const configPatience = time.Second

// nodeConfigState is the rules of reading the node's configuration: it is looked at
// when somebody asks, and each interval anyway. There is one read at a time, for all
// who ask meanwhile. While it hangs, they get what was known before.
type nodeConfigState struct {
	interval time.Duration
	// optional says that there needs to be no node, until something of one was read.
	optional bool
	config   *messages.NodeConfig // nil: nothing is known
	isRead   bool                 // config is more than that a read hangs
	reading  bool
	since    time.Time // of the read
	hangs    bool
	trouble  lasting
}

// nodeConfigEffect is something that the actor has to do.
type nodeConfigEffect interface{ isNodeConfigEffect() }

type (
	startConfigRead struct{}
	// armConfigPatience arms the timer of the read that is under way, armConfigDue that
	// of the next one.
	armConfigPatience struct{ after time.Duration }
	armConfigDue      struct{ after time.Duration }
	// tellConfig answers all who have asked.
	tellConfig    struct{}
	logNodeConfig struct{ note }
)

func (startConfigRead) isNodeConfigEffect()   {}
func (armConfigPatience) isNodeConfigEffect() {}
func (armConfigDue) isNodeConfigEffect()      {}
func (tellConfig) isNodeConfigEffect()        {}
func (logNodeConfig) isNodeConfigEffect()     {}

func newNodeConfigState(interval time.Duration, optional bool) *nodeConfigState {
	return &nodeConfigState{interval: interval, optional: optional}
}

// asked takes note that somebody wants to know the configuration as it is now.
func (s *nodeConfigState) asked(now time.Time) []nodeConfigEffect {
	if s.hangs {
		return []nodeConfigEffect{tellConfig{}}
	}
	return s.due(now)
}

// due takes note that it is time to look.
func (s *nodeConfigState) due(now time.Time) []nodeConfigEffect {
	if s.reading {
		return nil
	}
	s.reading, s.since = true, now
	return []nodeConfigEffect{startConfigRead{}, armConfigPatience{configPatience}}
}

// patienceOver takes note that the read may have taken too long. What is known says so
// from then on.
func (s *nodeConfigState) patienceOver(now time.Time) []nodeConfigEffect {
	if !s.reading || s.hangs {
		return nil
	}
	s.hangs = true
	hanging := messages.NodeConfig{CollectedAt: s.since}
	if s.config != nil {
		hanging = *s.config
	}
	const why = "the configuration cannot be read: a file or the process does not answer"
	hanging.Errors = []string{why + " since " + s.since.UTC().Format(time.RFC3339)}
	s.config = &hanging
	return append(s.tell(now), tellConfig{})
}

// returned takes what a read gave; nil is nothing, as a former one has not returned.
func (s *nodeConfigState) returned(config *messages.NodeConfig, now time.Time) []nodeConfigEffect {
	s.reading, s.hangs = false, false
	var effects []nodeConfigEffect
	if config != nil && config != s.config {
		if s.isRead && !config.SameParams(s.config) {
			effects = append(effects, logNodeConfig{note{text: "the node's configuration has changed"}})
		}
		s.config, s.isRead = config, true
	}
	effects = append(effects, s.tell(now)...)
	return append(effects, tellConfig{}, armConfigDue{s.interval})
}

// tell logs what could not be read, once while it lasts.
func (s *nodeConfigState) tell(now time.Time) []nodeConfigEffect {
	if s.config == nil {
		return nil
	}
	if s.optional = s.optional && len(s.config.StartupParams)+len(s.config.RuntimeConfig) == 0; s.optional {
		return nil
	}
	if len(s.config.Errors) == 0 {
		if lasted, times, was := s.trouble.over(now); was {
			return []nodeConfigEffect{logNodeConfig{note{text: "the node's whole configuration is read again", lasted: lasted, times: times}}}
		}
		return nil
	}
	cause := strings.Join(s.config.Errors, "; ")
	if !s.trouble.met(cause, now) {
		return nil
	}
	return []nodeConfigEffect{logNodeConfig{note{warn: true, text: "the node's configuration cannot be read, or not all of it",
		cause: cause[:min(len(cause), maxCauseBytes)]}}}
}
