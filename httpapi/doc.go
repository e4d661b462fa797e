// Package httpapi is the HTTP API of proxy and agent.
//
//   - server.go: the listener, with the timeouts and limits of a connection
//   - connections.go: how many connections there may be; package connlimit decides which one goes;
//     handshakes.go: what those with TLS may send before their handshake is over; http2.go: how many may have HTTP/2
//   - routes.go: paths and methods, and the index of them; router.go: what all routes have in
//     common: panics, request ids, gzip
//   - errors.go: errors as responses; response.go: JSON and other bodies as responses;
//     attachment.go: the names of files that are downloaded
//   - loglimit.go: how many lines of the log clients may cause
//   - params.go, times.go: parameters of a query; accept.go: the format of a response
//   - proxy.go, proxy_metrics.go, proxy_node.go, proxy_cluster.go, proxy_config.go: the
//     proxy's routes; configdiff.go: in what nodes of a role differ
//   - proxy_parts.go: what agents answer to questions beside metrics; proxy_topology.go,
//     proxy_lifecycle.go (proxy_groups.go, proxy_group_views.go), proxy_diagnostics.go,
//     proxy_profiles.go and proxy_profile.go: the routes that show it
//   - proxy_query.go, agent_query.go: what a query of PromQL reads; query_wait.go: how long it waits
//     for that; query_targets.go: what the API of Prometheus shows as targets
//   - pages.go: which pages go before queries
//   - inflight.go: the limit of what responses to slow clients take in memory; reasons.go: the
//     headers that name the nodes without an answer, or without a whole one
//   - incidents.go: the routes of incidents, of proxy and agent; incidents_list.go: the list and its filter;
//     incidents_changes.go: what has changed; incidents_files.go: files of the evidence and bundles,
//     incidents_pace.go: how slowly they may be read; incidents_actions.go: what changes something,
//     incidents_actor.go: who may do that; incidents_limits.go: what they may take at the same time
//   - ui.go: the pages for people, whose files are in package ui
//   - view.go: the routes over incidents in a file or a directory
//   - agent.go: the agent's routes; probes.go, actortree.go: handlers that both share
//   - selfmetrics.go: the proxy's metrics of itself; agentmetrics.go: of its agents, schemametrics.go: of the
//     schema that they compare;
//     actormetrics.go: of its actors; processmetrics.go: of its process
//
// The package knows no actor. What it needs of the rest of the process are function fields of
// ProxyAPI and AgentAPI. They are called from many goroutines at once, and return when their
// context ends. What they return is not changed.
//
// In this package a response is what an HTTP client gets, and an answer what an agent has sent.
package httpapi
