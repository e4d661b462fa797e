package exposition

import (
	"slices"
	"strings"

	"fodc/messages"
)

// FamilyUp is the family that says which nodes have answered.
const FamilyUp = messages.FamilyUp

// Families about the collection: at most one sample a node.
const (
	familyMissing   = "fodc_agent_missing_reason"
	familyPartial   = "fodc_agent_partial_reason"
	familyDuration  = "fodc_agent_scrape_duration_seconds"
	familyRoundTrip = "fodc_agent_round_trip_seconds"
	familyOffset    = "fodc_agent_clock_offset_seconds"
	familyHeartbeat = "fodc_agent_last_heartbeat_timestamp_seconds"
	familyInfo      = "fodc_agent_info"
	familyLeftOut   = "fodc_agent_series_left_out"
	agentPrefix     = "fodc_agent_"
)

var collectionFamilies = [...]messages.Family{
	collectionGauge(FamilyUp, "Whether the node's agent sent its answer (1) or is missing (0)."),
	collectionGauge(familyMissing, "Why the node is missing; 1 for the reason that holds."),
	collectionGauge(familyPartial, "Why the node's answer has less than what was asked for; 1 for the reason that holds."),
	collectionGauge(familyDuration, "Time from the request to the end of the agent's answer."),
	collectionGauge(familyRoundTrip, "Time from the agent's heartbeat to the proxy's answer, as the agent last measured it."),
	collectionGauge(familyOffset, "The proxy's clock minus the agent's, as the agent last measured it."),
	collectionGauge(familyHeartbeat, "Time of the agent's latest heartbeat or registration, by the proxy's clock."),
	collectionGauge(familyInfo, "The node's agent and its version; always 1."),
	collectionGauge(familyLeftOut, "Series of the node's answer that are not shown, since they are invalid or too many."),
}

func collectionGauge(name, help string) messages.Family {
	return messages.Family{Name: name, Type: messages.TypeGauge, Help: help}
}

// CollectionFamilies returns the families about the collection, without series.
func CollectionFamilies() []messages.Family { return slices.Clone(collectionFamilies[:]) }

// Families of the proxy itself, which a page may have after those of the collection.
const (
	familyBuildInfo   = "fodc_build_info"
	familyActors      = "fodc_actors"
	familyDeadLetters = "fodc_dead_letters_total"
	familyLateReplies = "fodc_late_replies_total"
	familyLogDropped  = "fodc_log_lines_dropped_total"
	certificatePrefix = "fodc_certificate_"
	filesPrefix       = "fodc_files_"
	actorPrefix       = "fodc_actor_"
	proxyPrefix       = "fodc_proxy_"
)

// IsReserved reports whether a family of the name may not come from an agent.
func IsReserved(name string) bool {
	if IsAboutCollection(name) {
		return true
	}
	switch name {
	case familyBuildInfo, familyActors, familyDeadLetters, familyLateReplies, familyLogDropped:
		return true
	}
	// The family fodc_proxy could have samples of the name fodc_proxy_count.
	return slices.ContainsFunc([]string{proxyPrefix, actorPrefix, certificatePrefix, filesPrefix},
		func(prefix string) bool { return strings.HasPrefix(name+"_", prefix) })
}

// IsAboutCollection reports whether the name is that of a family about the collection.
func IsAboutCollection(name string) bool {
	if !strings.HasPrefix(name, agentPrefix) {
		return false
	}
	for i := range collectionFamilies {
		if collectionFamilies[i].Name == name {
			return true
		}
	}
	return false
}

// neverReserved is IsReserved for the page of one agent, which may have all names.
func neverReserved(string) bool { return false }

// EachCollectionSample calls f with the samples about a node's answer: their name, their labels
// beside node_id, node_role and pod_name, and their value.
func EachCollectionSample(a *messages.NodeAnswer, f func(name string, labels messages.LabelText, value float64)) {
	f(familyInfo, versionLabel(a.AgentVersion), 1)
	if at := a.LastHeartbeat; !at.IsZero() {
		f(familyHeartbeat, "", float64(at.UnixMilli())/1e3)
	}
	if timing := a.Timing; timing != nil {
		f(familyRoundTrip, "", timing.RoundTrip.Seconds())
		f(familyOffset, "", timing.ClockOffset.Seconds())
	}
	if reason := a.Missing; reason != messages.MissingNone {
		f(FamilyUp, "", 0)
		f(familyMissing, reasonLabel(string(reason)), 1)
		return
	}
	f(FamilyUp, "", 1)
	f(familyDuration, "", a.Took.Seconds())
	if reason := a.Partial; reason != messages.PartialNone {
		f(familyPartial, reasonLabel(string(reason)), 1)
	}
	if count := a.Rejected; count > 0 {
		f(familyLeftOut, reasonLabel("invalid"), float64(count))
	}
	if count := a.TooMany; count > 0 {
		f(familyLeftOut, reasonLabel("too_many_series"), float64(count))
	}
}

// addCollectionMetrics adds the families about the collection.
func (m *merge) addCollectionMetrics(nodes []*node) {
	var groups [len(collectionFamilies)]*group
	for i, f := range collectionFamilies {
		groups[i] = &group{name: f.Name, kind: f.Type, help: f.Help}
	}
	for _, n := range nodes {
		EachCollectionSample(n.answer, func(name string, labels messages.LabelText, value float64) {
			g := groups[slices.IndexFunc(groups[:], func(g *group) bool { return g.name == name })]
			if g.samples == nil {
				g.samples = make([]collectionSample, 0, len(nodes))
			}
			g.samples = append(g.samples, collectionSample{n, labels, value})
		})
	}
	m.groups = append(m.groups, groups[:]...)
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
