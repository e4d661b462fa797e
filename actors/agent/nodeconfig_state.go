package agent

import (
	"strings"
	"time"

	"fodc/messages"
)

// configTimeout is how long a request for the node's configuration waits for a read. A read
// that takes longer counts as hanging.
const configTimeout = time.Second

const configChangedText = "the node's configuration has changed"

// nodeConfigState decides when the node's configuration is read: on request, and once an
// interval. There is one read at a time, and its result answers all requests that came
// meanwhile. While a read hangs, requests get the last known configuration.
type nodeConfigState struct {
	interval time.Duration
	// optional says that a missing node is not logged as a failure, until something of one
	// has been read.
	optional bool
	config   *messages.NodeConfig // nil: nothing is known
	// known is the newest result of a read that has the node's parameters: one that found no process, or hangs, is no change of
	// them. nil: there was none.
	known   *messages.NodeConfig
	starts  configStarts
	reading bool
	since   time.Time // of the read
	hangs   bool
	failure failureLog
}

// nodeConfigEffect is something that the actor has to do.
type nodeConfigEffect interface{ isNodeConfigEffect() }

type (
	startConfigRead struct{}
	// armConfigTimeout arms the timer of the read that is under way, armConfigDue that
	// of the next one.
	armConfigTimeout struct{ after time.Duration }
	armConfigDue     struct{ after time.Duration }
	// answerRequests sends the configuration to all requesters.
	answerRequests struct{}
	// noteConfigChanged adds the change to the timelines of incidents, showConfigStart has it in the metrics that the node was
	// started with another configuration.
	noteConfigChanged struct{}
	showConfigStart   struct{ at time.Time }
	logNodeConfig     struct{ logEntry }
)

func (startConfigRead) isNodeConfigEffect()   {}
func (armConfigTimeout) isNodeConfigEffect()  {}
func (armConfigDue) isNodeConfigEffect()      {}
func (answerRequests) isNodeConfigEffect()    {}
func (noteConfigChanged) isNodeConfigEffect() {}
func (showConfigStart) isNodeConfigEffect()   {}
func (logNodeConfig) isNodeConfigEffect()     {}

func newNodeConfigState(interval time.Duration, optional bool) *nodeConfigState {
	return &nodeConfigState{interval: interval, optional: optional}
}

// asked handles a request for the current configuration.
func (s *nodeConfigState) asked(now time.Time) []nodeConfigEffect {
	if s.hangs {
		return []nodeConfigEffect{answerRequests{}}
	}
	return s.due(now)
}

// due starts a read, unless one is under way.
func (s *nodeConfigState) due(now time.Time) []nodeConfigEffect {
	if s.reading {
		return nil
	}
	s.reading, s.since = true, now
	return []nodeConfigEffect{startConfigRead{}, armConfigTimeout{configTimeout}}
}

// timedOut marks the read that is under way as hanging. The configuration carries an error
// that says so until the read returns.
func (s *nodeConfigState) timedOut(now time.Time) []nodeConfigEffect {
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
	return append(s.logErrors(now), answerRequests{})
}

// returned takes the result of a read; nil if an earlier read has not returned yet.
func (s *nodeConfigState) returned(config *messages.NodeConfig, now time.Time) []nodeConfigEffect {
	s.reading, s.hangs = false, false
	var effects []nodeConfigEffect
	if config != nil && config != s.config {
		if len(config.StartupParams)+len(config.RuntimeConfig) > 0 || len(config.Errors) == 0 {
			if s.known != nil && !config.SameParams(s.known) {
				effects = append(effects, noteConfigChanged{}, logNodeConfig{logEntry{text: configChangedText}})
			}
			s.known = config
		}
		if s.starts.read(config) {
			effects = append(effects, showConfigStart{now})
		}
		s.config = config
	}
	effects = append(effects, s.logErrors(now)...)
	return append(effects, answerRequests{}, armConfigDue{s.interval})
}

// logErrors logs what could not be read: when that begins, changes and ends.
func (s *nodeConfigState) logErrors(now time.Time) []nodeConfigEffect {
	if s.config == nil {
		return nil
	}
	if s.optional = s.optional && len(s.config.StartupParams)+len(s.config.RuntimeConfig) == 0; s.optional {
		return nil
	}
	if len(s.config.Errors) == 0 {
		if lasted, times, was := s.failure.end(now); was {
			return []nodeConfigEffect{logNodeConfig{logEntry{text: "the node's whole configuration is read again", lasted: lasted, times: times}}}
		}
		return nil
	}
	cause := strings.Join(s.config.Errors, "; ")
	if !s.failure.record(cause, now) {
		return nil
	}
	return []nodeConfigEffect{logNodeConfig{logEntry{warn: true, text: "the node's configuration cannot be read, or not all of it",
		cause: shortText(cause)}}}
}
