package exposition

import (
	"strings"

	"fodc/messages"
)

// Families about the collection: at most one sample a node.
const (
	familyUp        = "fodc_agent_up"
	familyMissing   = "fodc_agent_missing_reason"
	familyPartial   = "fodc_agent_partial_reason"
	familyDuration  = "fodc_agent_scrape_duration_seconds"
	familyRoundTrip = "fodc_agent_round_trip_seconds"
	familyOffset    = "fodc_agent_clock_offset_seconds"
	familyHeartbeat = "fodc_agent_last_heartbeat_timestamp_seconds"
	familyInfo      = "fodc_agent_info"
	familyLeftOut   = "fodc_agent_series_left_out"
)

// Families of the proxy itself, which a page may have after those of the collection.
const (
	familyBuildInfo   = "fodc_build_info"
	familyActors      = "fodc_actors"
	familyDeadLetters = "fodc_dead_letters_total"
	familyLateReplies = "fodc_late_replies_total"
	familyLogDropped  = "fodc_log_lines_dropped_total"
	actorPrefix       = "fodc_actor_"
	proxyPrefix       = "fodc_proxy_"
)

// isReserved reports whether a family of the name may not come from an agent.
func isReserved(name string) bool {
	switch name {
	case familyUp, familyMissing, familyPartial, familyDuration, familyRoundTrip, familyOffset, familyHeartbeat, familyInfo, familyLeftOut,
		familyBuildInfo, familyActors, familyDeadLetters, familyLateReplies, familyLogDropped:
		return true
	}
	// The family fodc_proxy could have samples of the name fodc_proxy_count.
	return strings.HasPrefix(name+"_", proxyPrefix) || strings.HasPrefix(name+"_", actorPrefix)
}

// neverReserved is isReserved for the page of one agent, which may have all names.
func neverReserved(string) bool { return false }

// addCollectionMetrics adds the families about the collection.
func (m *merge) addCollectionMetrics(nodes []*node) {
	up := &group{name: familyUp, kind: messages.TypeGauge,
		help: "Whether the node's agent sent its answer (1) or is missing (0)."}
	missing := &group{name: familyMissing, kind: messages.TypeGauge,
		help: "Why the node is missing; 1 for the reason that holds."}
	partial := &group{name: familyPartial, kind: messages.TypeGauge,
		help: "Why the node's answer has less than what was asked for; 1 for the reason that holds."}
	duration := &group{name: familyDuration, kind: messages.TypeGauge,
		help: "Time from the request to the end of the agent's answer."}
	roundTrip := &group{name: familyRoundTrip, kind: messages.TypeGauge,
		help: "Time from the agent's heartbeat to the proxy's answer, as the agent last measured it."}
	offset := &group{name: familyOffset, kind: messages.TypeGauge,
		help: "The proxy's clock minus the agent's, as the agent last measured it."}
	heartbeat := &group{name: familyHeartbeat, kind: messages.TypeGauge,
		help: "Time of the agent's latest heartbeat or registration, by the proxy's clock."}
	info := &group{name: familyInfo, kind: messages.TypeGauge,
		help: "The node's agent and its version; always 1."}
	leftOut := &group{name: familyLeftOut, kind: messages.TypeGauge,
		help: "Series of the node's answer that are not shown, since they are invalid or too many."}
	set := func(g *group, n *node, labels messages.LabelText, value float64) {
		if g.samples == nil {
			g.samples = make([]collectionSample, 0, len(nodes))
		}
		g.samples = append(g.samples, collectionSample{n, labels, value})
	}
	for _, n := range nodes {
		set(info, n, versionLabel(n.answer.AgentVersion), 1)
		if at := n.answer.LastHeartbeat; !at.IsZero() {
			set(heartbeat, n, "", float64(at.UnixMilli())/1e3)
		}
		if timing := n.answer.Timing; timing != nil {
			set(roundTrip, n, "", timing.RoundTrip.Seconds())
			set(offset, n, "", timing.ClockOffset.Seconds())
		}
		if reason := n.answer.Missing; reason != messages.MissingNone {
			set(up, n, "", 0)
			set(missing, n, reasonLabel(string(reason)), 1)
			continue
		}
		set(up, n, "", 1)
		set(duration, n, "", n.answer.Took.Seconds())
		if reason := n.answer.Partial; reason != messages.PartialNone {
			set(partial, n, reasonLabel(string(reason)), 1)
		}
		if count := n.answer.Rejected; count > 0 {
			set(leftOut, n, reasonLabel("invalid"), float64(count))
		}
		if count := n.answer.TooMany; count > 0 {
			set(leftOut, n, reasonLabel("too_many_series"), float64(count))
		}
	}
	m.groups = append(m.groups, up, missing, partial, duration, roundTrip, offset, heartbeat, info, leftOut)
	m.sort()
}

// versionLabel is empty for an agent that does not send its version.
func versionLabel(version string) messages.LabelText {
	if version == "" {
		return ""
	}
	return messages.LabelText(messages.AppendLabel(nil, "version", version))
}

func reasonLabel(reason string) messages.LabelText {
	return messages.LabelText(messages.AppendLabel(nil, "reason", reason))
}

// collectionSample is a sample of a family about the collection.
type collectionSample struct {
	node   *node
	labels messages.LabelText
	value  float64
}

// showCollectionMetrics calls f with each sample about the collection as a series, until f
// returns false.
func (r *reader) showCollectionMetrics(s *series, f func(*series) bool) bool {
	for _, x := range s.group.samples {
		r.samples = append(r.samples[:0], sample{value: x.value})
		s.node, s.suffix, s.labels, s.rest, s.samples = x.node, messages.SuffixNone, x.labels, x.labels, r.samples
		if !f(s) {
			return false
		}
	}
	return true
}
