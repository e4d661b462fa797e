package agent

import (
	"context"
	"strconv"

	"fodc/actors"
	"fodc/messages"
	"fodc/recorder"
)

// startDatabase spawns the actors that ask the database node, and returns the sources that answer for
// it.
func (a *Agent) startDatabase(cfg Config) map[messages.Stream]Source {
	all := map[messages.Stream]Source{}
	if cfg.Database == nil {
		return all
	}
	db := *cfg.Database
	all[messages.StreamSchema] = schemaSource{}
	if len(db.StatePorts) > 0 {
		a.database = a.sys.Spawn("database", restarts, func() actors.Actor { return newDatabase(a.sys, a.identity, db) })
		all[messages.StreamTopology] = topologySource{a.sys, a.database}
	}
	if db.LifecyclePort != 0 || db.ReportDir != "" {
		reader := &reportReader{}
		a.lifecycle = a.sys.Spawn("lifecycle", restarts, func() actors.Actor { return newLifecycle(a.sys, reader, db) })
		all[messages.StreamLifecycle] = lifecycleSource{a.sys, a.lifecycle, a.identity.identity().PodName}
	}
	return all
}

// Identity returns who the node is, as proxies know it. It changes when the node says so.
func (a *Agent) Identity() messages.Identity { return a.identity.identity() }

// schemaSource answers that this agent does not read the registry of the database.
type schemaSource struct{}

// Answer implements Source.
func (schemaSource) Answer(_ context.Context, _ messages.Question, emit func(messages.Part) error) error {
	return emit(&messages.SchemaGroup{Error: "this agent does not read the schema registry of its node"})
}

// portSamples are how the ports do on which the node is asked.
func portSamples(ports []portStatus) []recorder.Sample {
	var ups, failures []recorder.Sample
	for _, p := range ports {
		up := gauge("fodc_agent_database_up", "Whether the node has answered at the port when it was asked last.", 0)
		if p.up {
			up.Value = 1
		}
		failed := counter("fodc_agent_database_poll_failures_total", "How often the node has not answered at the port.", float64(p.failures))
		up.Labels = []messages.Label{{Name: "port", Value: strconv.Itoa(p.number)}}
		failed.Labels = up.Labels
		ups, failures = append(ups, up), append(failures, failed)
	}
	return append(ups, failures...)
}
