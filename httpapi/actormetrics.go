package httpapi

import (
	"fodc/messages"
)

// Families of the process's actors. Dashboards look for these names, so they do not begin with
// fodc_proxy_. Families of agents with these names are left out of pages.
const (
	familyActors        = "fodc_actors"
	familyActorMailbox  = "fodc_actor_mailbox_messages"
	familyActorRestarts = "fodc_actor_restarts_total"
	familyActorFailures = "fodc_actor_failures_total"
	familyDeadLetters   = "fodc_dead_letters_total"
	familyLateReplies   = "fodc_late_replies_total"
)

// metadataOfActors is metadataOf for these families.
func metadataOfActors(family string) (kind messages.MetricType, help string) {
	switch family {
	case familyActors:
		return messages.TypeGauge, "Running actors, by kind."
	case familyActorMailbox:
		return messages.TypeGauge, "Messages waiting in mailboxes, by the kind of the actor."
	case familyActorRestarts:
		return messages.TypeCounter, "Restarts of actors after a panic, by kind."
	case familyActorFailures:
		return messages.TypeCounter, "Panics of actors, by kind."
	case familyDeadLetters:
		return messages.TypeCounter, "Messages to actors that had ended."
	case familyLateReplies:
		return messages.TypeCounter, "Answers between actors that came after the timeout."
	default:
		return messages.TypeUnknown, ""
	}
}

// actors sets the metrics to what package actors has counted.
func (m *selfMetrics) actors(c messages.ActorCounts) {
	for _, k := range c.Kinds {
		series := func(family string) string { return seriesName(family, "kind", k.Kind) }
		m.set.GetOrCreateGauge(series(familyActors), nil).Set(float64(k.Alive))
		m.set.GetOrCreateGauge(series(familyActorMailbox), nil).Set(float64(k.Mailbox))
		m.set.GetOrCreateCounter(series(familyActorRestarts)).Set(k.Restarts)
		m.set.GetOrCreateCounter(series(familyActorFailures)).Set(k.Failures)
	}
	m.set.GetOrCreateCounter(familyDeadLetters).Set(c.DeadLetters)
	m.set.GetOrCreateCounter(familyLateReplies).Set(c.LateReplies)
}
