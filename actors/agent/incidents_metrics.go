package agent

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"fodc/actors/agent/rules"
	"fodc/messages"
	"fodc/recorder"
)

// incidentsStatus is what metrics and health show of the incidents. It is not changed.
type incidentsStatus struct {
	open, kept         int
	bytes              int64
	openings, failures map[string]uint64
	onDisk             bool
	cause              string // why they are not on disk, or cannot be written; empty if they are
}

// show shows the state to metrics and health.
func (i *incidents) show() {
	s := &incidentsStatus{kept: len(i.state.entries), openings: maps.Clone(i.state.openings), failures: maps.Clone(i.state.failures),
		onDisk: i.disk != nil, cause: cmp.Or(i.storage.cause, i.saving.cause)}
	for _, e := range i.state.entries {
		if e.phase == incidentIsOpen {
			s.open++
		}
	}
	for _, store := range []*incidentStore{i.memory, i.disk} {
		if store != nil {
			s.bytes += store.Usage().Bytes
		}
	}
	i.shown.Store(s)
}

func incidentSamples(s *incidentsStatus) []recorder.Sample {
	samples := []recorder.Sample{
		gauge("fodc_incidents_open", "Incidents that are open: something fires, or did so a short while ago.", float64(s.open)),
		gauge("fodc_incidents_kept", "Incidents that are kept, the open ones included.", float64(s.kept)),
		gauge("fodc_incident_evidence_bytes", "Size of all evidence that is kept of incidents.", float64(s.bytes)),
	}
	for _, rule := range slices.Sorted(maps.Keys(s.openings)) {
		samples = append(samples, labelled(counter("fodc_incidents_opened_total", "Incidents that were opened, by the rule that fired first.", float64(s.openings[rule])), "rule", rule))
	}
	for _, what := range slices.Sorted(maps.Keys(s.failures)) {
		samples = append(samples, labelled(counter("fodc_incident_captures_failed_total", "Evidence of incidents that could not be had, or not wholly, by what it is.",
			float64(s.failures[what])), "what", what))
	}
	return samples
}

// rulesStatus is what metrics and health show of the rules. It is not changed.
type rulesStatus struct {
	stats    rules.Stats
	loaded   bool // the newest read has not failed
	loadedAt time.Time
	hangs    bool
	shutdown time.Time
	cause    string // why rules cannot be evaluated; empty if they can
}

func (s *rulesState) status(stats rules.Stats) *rulesStatus {
	return &rulesStatus{stats: stats, loaded: !s.failed, loadedAt: s.loadedAt, hangs: s.hangs, cause: s.failure.cause, shutdown: s.shutdown}
}

func ruleSamples(s *rulesStatus) []recorder.Sample {
	loaded := 0.0
	if s.loaded {
		loaded = 1
	}
	samples := []recorder.Sample{
		gauge("fodc_rules", "Alerting rules that the agent evaluates.", float64(s.stats.Rules)),
		gauge("fodc_rules_firing_alerts", "Alerts of the rules that fire.", float64(s.stats.Firing)),
		gauge("fodc_rules_pending_alerts", "Alerts of the rules whose expression holds, but not for long enough.", float64(s.stats.Pending)),
		counter("fodc_rules_evaluations_total", "Evaluations of single rules.", float64(s.stats.Evaluations)),
		counter("fodc_rules_evaluation_failures_total", "Evaluations of single rules that failed.", float64(s.stats.Failures)),
		counter("fodc_rules_evaluation_duration_seconds_total", "Time that evaluations of all rules took.", s.stats.Seconds),
		gauge("fodc_rules_last_evaluation_duration_seconds", "Duration of the latest evaluation of all rules.", s.stats.Last.Seconds()),
		gauge("fodc_rules_last_reload_successful", "Whether the latest attempt to read the files of rules succeeded.", loaded),
		gauge("fodc_rules_last_reload_success_timestamp_seconds", "When the files of rules were last read with success, as unix time.", float64(s.loadedAt.UnixMilli())/1000),
	}
	if !s.shutdown.IsZero() {
		samples = append(samples, gauge("fodc_agent_unclean_shutdown_timestamp_seconds", "The last scrape of the agent before this one, if that was killed, as unix time.",
			float64(s.shutdown.UnixMilli())/1000))
	}
	return samples
}

// incidentsHealth returns how the rules and the incidents do; nil where there are none.
func (a *Agent) incidentsHealth() *messages.IncidentsHealth {
	if a.incidents == nil {
		return nil
	}
	s, r := a.incidentStatus.Load(), a.ruleStatus.Load()
	h := &messages.IncidentsHealth{Open: s.open, Kept: s.kept, EvidenceBytes: s.bytes, Storage: messages.IncidentsInMemory, Error: s.cause,
		Rules: messages.RulesHealth{Rules: r.stats.Rules, Firing: r.stats.Firing, Pending: r.stats.Pending, Failures: r.stats.Failures, LastSeconds: r.stats.Last.Seconds(),
			LoadedAt: r.loadedAt.UTC().Round(time.Millisecond), Loaded: r.loaded, Error: r.cause}}
	if s.onDisk {
		h.Storage = messages.IncidentsOnDisk
	}
	if r.hangs {
		h.Rules.Error = "an evaluation does not end"
	}
	return h
}
