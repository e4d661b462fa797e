// Package httpapi is the HTTP surface of both modes.
//
//   - server.go: listens, with the timeouts and limits of a connection
//   - surface.go: what every request goes through: routes, methods, panics, gzip
//   - errors.go: how an error becomes an answer; answer.go: how a value does
//   - loglimit.go: how many lines of the log clients may cause
//   - missing.go: the header that names the nodes without an answer
//   - params.go, times.go, accept.go: what a client may ask for
//   - proxy.go, proxy_metrics.go, proxy_node.go, proxy_cluster.go, proxy_config.go: the
//     proxy's routes; configdiff.go: in what nodes of a role differ
//   - agent.go: the agent's routes; common.go, actortree.go: those that both have
//   - selfmetrics.go: what the proxy counts of its own doings; agentmetrics.go: of its
//     agents; actormetrics.go: of its actors; processmetrics.go: what its process takes
//
// The package knows no actor. What it needs of the rest of the process it is given
// as function fields, which may be called from many goroutines at once and must
// return when their context ends. It takes its input for immutable.
package httpapi
