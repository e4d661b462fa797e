package httpapi

import (
	"math"

	"fodc/messages"
)

// The families of what the proxy counts of its agents.
const (
	familyAgents         = "fodc_proxy_agents"
	familyUnverified     = "fodc_proxy_agents_unverified"
	familyChecks         = "fodc_proxy_registration_checks_accepted_total"
	familyChecksRefused  = "fodc_proxy_registration_checks_refused_total"
	familyConnsClosed    = "fodc_proxy_connections_closed_total"
	familyCrashes        = "fodc_proxy_crash_records"
	familyHandshakes     = "fodc_proxy_handshakes_failed_total"
	familyMissing        = "fodc_proxy_agents_missing_total"
	familyFramesRejected = "fodc_proxy_frames_rejected_total"
	familyHeartbeats     = "fodc_proxy_heartbeats_total"
	familyEvicted        = "fodc_proxy_nodes_evicted_total"
	familyRefused        = "fodc_proxy_registrations_refused_total"
	familyRelayedBytes   = "fodc_proxy_relayed_bytes_total"
	familyRelayedSamples = "fodc_proxy_relayed_samples_total"
	familySessionsEnded  = "fodc_proxy_sessions_ended_total"
	familySessionsOpened = "fodc_proxy_sessions_opened_total"
	familySchema         = "fodc_proxy_schema_consistency"
	familyStorageErrors  = "fodc_proxy_storage_errors_total"
	familyStreamsRefused = "fodc_proxy_streams_refused_total"

	familyIncidentsOpened = "fodc_proxy_incidents_opened_total"
	familyIncidentsOpen   = "fodc_proxy_incidents_open"
	familyEvidenceBytes   = "fodc_proxy_incident_evidence_bytes"

	familyNotifications        = "fodc_proxy_alertmanager_notifications_total"
	familyNotificationsFailed  = "fodc_proxy_alertmanager_notifications_failed_total"
	familyNotificationsDropped = "fodc_proxy_alertmanager_notifications_dropped_total"
)

// metadataOfAgents is metadataOf for these families.
func metadataOfAgents(family string) (kind messages.MetricType, help string) {
	switch family {
	case familyAgents:
		return messages.TypeGauge, "Agents in the registry by role and state; NaN while that is not known."
	case familyConnsClosed:
		return messages.TypeCounter, "Connections of agents and strangers that the proxy has closed, by reason."
	case familyUnverified:
		return messages.TypeGauge, "Agents in the registry that have shown neither a certificate nor a token; NaN while that is not known."
	case familyCrashes:
		return messages.TypeGauge, "Crash records that the proxy keeps, those of nodes that are gone included."
	case familySchema:
		return messages.TypeGauge, "Whether the nodes of a group of the database have the schema of its registry: 1 for the status that holds."
	case familyStorageErrors:
		return messages.TypeCounter, "Operations on the proxy's storage directory that have failed."
	case familyMissing:
		return messages.TypeCounter, "Nodes that were missing from the collection of a request, by reason."
	case familyFramesRejected:
		return messages.TypeCounter, "Frames of agents' answers that went into no collection, by reason."
	case familyHandshakes:
		return messages.TypeCounter, "Handshakes of TLS with agents, and with others, that have failed, by reason."
	case familyHeartbeats:
		return messages.TypeCounter, "Heartbeats of agents."
	case familyEvicted:
		return messages.TypeCounter, "Nodes that sent nothing after their registration, and were removed to make room for another one."
	case familyRefused:
		return messages.TypeCounter, "Registrations of agents that were refused, by reason."
	case familyChecks:
		return messages.TypeCounter, "Registrations that were only tried, as fodc check proxy does, and would have been accepted."
	case familyChecksRefused:
		return messages.TypeCounter, "Registrations that were only tried, as fodc check proxy does, and would have been refused, by reason."
	case familyRelayedBytes:
		return messages.TypeCounter, "Bytes of the answers of agents, as they were encoded for the wire."
	case familyRelayedSamples:
		return messages.TypeCounter, "Samples of the answers of agents that went into collections."
	case familySessionsEnded:
		return messages.TypeCounter, "Sessions of agents that have ended, by reason."
	case familySessionsOpened:
		return messages.TypeCounter, "Sessions of agents that were opened."
	case familyStreamsRefused:
		return messages.TypeCounter, "Streams of agents, beside registrations, that were refused, by reason."
	case familyIncidentsOpened:
		return messages.TypeCounter, "Incidents that were opened since the start, by the rule that fired first."
	case familyIncidentsOpen:
		return messages.TypeGauge, "Incidents that are open."
	case familyEvidenceBytes:
		return messages.TypeGauge, "Bytes of the evidence of all incidents."
	case familyNotifications:
		return messages.TypeCounter, "Alerts of incidents that an Alertmanager has taken."
	case familyNotificationsFailed:
		return messages.TypeCounter, "Alerts of incidents that did not arrive at an Alertmanager, each time."
	case familyNotificationsDropped:
		return messages.TypeCounter, "Alerts of incidents that are not sent to an Alertmanager any more."
	default:
		return messages.TypeUnknown, ""
	}
}

// proxy sets the metrics to what package proxy has counted of its agents.
func (m *selfMetrics) proxy(c messages.ProxyCounts) {
	m.set.GetOrCreateCounter(familySessionsOpened).Set(c.SessionsOpened)
	m.set.GetOrCreateCounter(familyChecks).Set(c.ChecksAccepted)
	m.set.GetOrCreateCounter(familyHeartbeats).Set(c.Heartbeats)
	m.set.GetOrCreateCounter(familyEvicted).Set(c.NodesEvicted)
	m.set.GetOrCreateCounter(familyRelayedBytes).Set(c.RelayedBytes)
	m.set.GetOrCreateCounter(familyRelayedSamples).Set(c.RelayedSamples)
	m.set.GetOrCreateGauge(familyCrashes, nil).Set(float64(c.CrashRecords))
	m.set.GetOrCreateCounter(familyStorageErrors).Set(c.StorageErrors)
	m.incidents(c.Incidents)
	for _, a := range c.Alertmanagers {
		for family, n := range map[string]uint64{familyNotifications: a.Notifications, familyNotificationsFailed: a.Failed, familyNotificationsDropped: a.Dropped} {
			m.set.GetOrCreateCounter(seriesName(family, "alertmanager", a.Alertmanager)).Set(n)
		}
	}
	byReason := func(family string, counts map[string]uint64) {
		for reason, n := range counts {
			m.set.GetOrCreateCounter(seriesName(family, "reason", reason)).Set(n)
		}
	}
	byReason(familySessionsEnded, c.SessionsEnded)
	byReason(familyRefused, c.Refused)
	byReason(familyChecksRefused, c.ChecksRefused)
	byReason(familyStreamsRefused, c.StreamsRefused)
	byReason(familyHandshakes, c.HandshakesFailed)
	byReason(familyFramesRejected, c.FramesRejected)
	byReason(familyConnsClosed, c.ConnectionsClosed)
}

// incidents sets the metrics of the incidents of all nodes; nil: the proxy keeps none.
func (m *selfMetrics) incidents(c *messages.IncidentCounts) {
	if c == nil {
		return
	}
	for rule, n := range c.Opened {
		m.set.GetOrCreateCounter(seriesName(familyIncidentsOpened, "rule", rule)).Set(n)
	}
	m.set.GetOrCreateGauge(familyIncidentsOpen, nil).Set(float64(c.Open))
	m.set.GetOrCreateGauge(familyEvidenceBytes, nil).Set(float64(c.EvidenceBytes))
}

const (
	// maxRoles bounds the values of the label role: agents choose theirs.
	maxRoles = 32
	// otherRole is the label of all further roles. Its series are always there.
	otherRole = "other"
)

// roles are the roles that agents have had since the start, at most maxRoles. Each keeps its
// series, so that the series is 0, and not gone, when the last agent of a role has left.
type roles map[string]bool

// of returns the label for an agent's role.
func (r roles) of(role string) string {
	if role == "" || !r[role] && len(r) >= maxRoles {
		return otherRole
	}
	r[role] = true
	return role
}

// agents sets the numbers of agents to those of the registry; nil: they are not known.
func (m *selfMetrics) agents(c *messages.Cluster) {
	m.unverified(c)
	type cell struct{ role, state string }
	counts := map[cell]float64{}
	unknown := math.NaN()
	if c != nil {
		unknown = 0
		for i := range c.Nodes {
			n := &c.Nodes[i]
			counts[cell{m.roles.of(n.Identity.Role), string(n.Status)}]++
		}
	}
	for _, state := range []messages.Status{messages.StatusOnline, messages.StatusUnconnected} {
		set := func(role string) {
			count := counts[cell{role, string(state)}] + unknown
			m.set.GetOrCreateGauge(seriesName(familyAgents, "role", role, "state", string(state)), nil).Set(count)
		}
		set(otherRole)
		for role := range m.roles {
			set(role)
		}
	}
}

// unverified sets the number of agents that have not shown who they are. A proxy that does not ask
// them has no such metric.
func (m *selfMetrics) unverified(c *messages.Cluster) {
	if c != nil && c.Verifies {
		m.verifies = true
	}
	if !m.verifies {
		return
	}
	count := math.NaN()
	if c != nil {
		count = 0
		for i := range c.Nodes {
			if c.Nodes[i].Verified.IsZero() {
				count++
			}
		}
	}
	m.set.GetOrCreateGauge(familyUnverified, nil).Set(count)
}
