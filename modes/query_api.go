package modes

import (
	"context"
	"time"

	"fodc/httpapi"
	"fodc/httpapi/promapi"
	"fodc/recorder/promstore"
)

// queries returns the routes of the API of Prometheus over a storage.
func queries(c promstore.Config, targets func(context.Context) ([]promapi.Target, error), limits promapi.Limits,
	pagesAhead func() <-chan struct{}, program Program,
) []promapi.Route {
	c.Timeout, c.Now = limits.Timeout, time.Now
	return promapi.New(promapi.Config{Storage: promstore.New(c), Targets: targets, Limits: limits, PagesAhead: pagesAhead, Revision: thisBuild().revision,
		Flags: program.Flags, Started: time.Now(), Now: time.Now, Log: program.Log.Named("http")}).Routes()
}

// addQueries lets the proxy's HTTP API answer queries.
func (c ProxyConfig) addQueries(a *httpapi.ProxyAPI, answersBytes int64, program Program) {
	a.MaxQueryCollections = max(1, c.MaxCollections/2)
	a.Queries = queries(promstore.Config{Collect: a.CollectForQuery}, a.QueryTargets(c.HeartbeatInterval, c.HeartbeatTimeout),
		c.Queries.within(c.HTTPWriteTimeout, answersBytes), a.PagesAhead, program)
}

// addQueries lets the agent's HTTP API answer queries.
func (c AgentConfig) addQueries(a *httpapi.AgentAPI, program Program) {
	a.Queries = queries(promstore.Config{Collect: a.CollectForQuery, OwnNode: true}, a.QueryTargets(c.PollInterval),
		c.Queries.within(c.writeTimeout(), agentQueryBytes), a.PagesAhead, program)
}

// writeTimeout is that of the agent's HTTP server.
func (c AgentConfig) writeTimeout() time.Duration {
	return max(agentHTTPTimeout, c.Queries.Timeout+queryMargin)
}
