package agent

import (
	"fodc/messages"
	"fodc/recorder"
)

// actorSamples are the numbers of the process's actors. A proxy has the same families of
// itself, without agent_ in their names.
func actorSamples(c messages.ActorCounts) []recorder.Sample {
	samples := make([]recorder.Sample, 0, 4*len(c.Kinds)+2)
	for _, k := range c.Kinds {
		labels := []messages.Label{{Name: "kind", Value: k.Kind}}
		for _, r := range []recorder.Sample{
			gauge("fodc_agent_actors", "Running actors of the agent, by kind.", float64(k.Alive)),
			gauge("fodc_agent_actor_mailbox_messages", "Messages waiting in mailboxes, by the kind of the actor.", float64(k.Mailbox)),
			counter("fodc_agent_actor_restarts_total", "Restarts of actors after a panic, by kind.", float64(k.Restarts)),
			counter("fodc_agent_actor_failures_total", "Panics of actors, by kind.", float64(k.Failures)),
		} {
			r.Labels = labels
			samples = append(samples, r)
		}
	}
	return append(samples,
		counter("fodc_agent_dead_letters_total", "Messages to actors that had ended.", float64(c.DeadLetters)),
		counter("fodc_agent_late_replies_total", "Answers between actors that came after the timeout.", float64(c.LateReplies)))
}
