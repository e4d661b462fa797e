package modes

import (
	"context"
	"path/filepath"
	"time"

	"fodc/httpapi"
	"fodc/httpapi/promapi"
	"fodc/messages"
	"fodc/recorder/incidentseries"
	"fodc/recorder/promstore"
)

// queries returns the routes of the API of Prometheus over a storage.
func queries(c promstore.Config, targets func(context.Context) ([]promapi.Target, error), rules func(context.Context) (messages.RuleGroups, error), limits promapi.Limits,
	pagesAhead func() <-chan struct{}, program Program, evidence incidentseries.Config,
) []promapi.Route {
	c.Timeout, c.Now = limits.Timeout, time.Now
	evidence.Present = promstore.New(c)
	return promapi.New(promapi.Config{Storage: incidentseries.New(evidence), Targets: targets, Rules: rules, Limits: limits, PagesAhead: pagesAhead, Revision: thisBuild().revision,
		Flags: program.Flags, Started: time.Now(), Now: time.Now, Log: program.Log.Named("http")}).Routes()
}

// addQueries lets the proxy's HTTP API answer queries.
func (c ProxyConfig) addQueries(a *httpapi.ProxyAPI, answersBytes int64, program Program, evidence incidentseries.Config) {
	a.MaxQueryCollections = max(1, c.MaxCollections/2)
	a.Queries = queries(promstore.Config{Collect: a.CollectForQuery}, a.QueryTargets(c.HeartbeatInterval, c.HeartbeatTimeout), a.Rules,
		c.Queries.within(c.HTTPWriteTimeout, answersBytes), a.PagesAhead, program, evidence)
}

// agentWithoutEvidence is why an agent does not answer queries of incidents: it would have to make blocks beside the database.
const agentWithoutEvidence = "an agent has the metrics of its incidents as segments of a journal: ask the proxy, or run fodc view on the file of the incident"

// queriedIncidents is the evidence that the proxy's queries may read.
func (p *runningProxy) queriedIncidents(c ProxyIncidentsConfig) incidentseries.Config {
	from := incidentseries.Config{Incident: func(ctx context.Context, id string) (*messages.Incident, error) { return p.proxy.Incident(ctx, id) }}
	switch {
	case c.off:
		from.Without = "there are no incidents here: --incidents is off"
	case p.storage == nil:
		from.Without = "the proxy keeps no evidence, since it has no --storage-dir"
	default:
		from.Dir = filepath.Join(p.storage.dir, incidentsDirName)
	}
	return from
}

// addQueries lets the agent's HTTP API answer queries.
func (c AgentConfig) addQueries(a *httpapi.AgentAPI, program Program) {
	a.Queries = queries(promstore.Config{Collect: a.CollectForQuery, OwnNode: true}, a.QueryTargets(c.PollInterval), a.Rules,
		c.Queries.within(c.writeTimeout(), agentQueryBytes), a.PagesAhead, program, incidentseries.Config{Without: agentWithoutEvidence})
}

// writeTimeout is that of the agent's HTTP server.
func (c AgentConfig) writeTimeout() time.Duration {
	return max(agentHTTPTimeout, c.Queries.Timeout+queryMargin)
}
