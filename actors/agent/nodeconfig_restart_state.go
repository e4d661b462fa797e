package agent

import (
	"slices"
	"time"

	"fodc/messages"
	"fodc/recorder"
)

// configStarts finds starts of the node's process with another configuration than the process before was started with. A file that
// changes while the process runs counts at the next start.
type configStarts struct {
	// first is what was read first of the process that runs; nil: none is known.
	first *messages.NodeConfig
}

// read takes a configuration. It reports whether the process is another one than before, and was started with another
// configuration. While something cannot be read that could be before, nothing is said of a new process.
func (s *configStarts) read(config *messages.NodeConfig) (changed bool) {
	switch {
	case config == nil || config.Process == "" || s.first != nil && s.first.Process == config.Process:
		return false
	case s.first == nil:
		s.first = config
		return false
	case len(config.Errors) > 0 && !slices.Equal(config.Errors, s.first.Errors):
		return false
	}
	changed = !config.SameParams(s.first)
	s.first = config
	return changed
}

// configSamples shows when the agent has seen that, the zero time: never.
func configSamples(at time.Time) []recorder.Sample {
	seconds := 0.0
	if !at.IsZero() {
		seconds = float64(at.UnixMilli()) / 1e3
	}
	return []recorder.Sample{gauge("fodc_node_config_change_timestamp_seconds",
		"When the agent last saw that the node was started with another configuration than before, as unix time; 0 if it has not.", seconds)}
}
