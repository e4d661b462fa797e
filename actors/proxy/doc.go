// Package proxy holds the actors of the proxy, and the gRPC service through which
// agents reach them.
//
//	registry            who is who: nodes, their sessions, heartbeats, removal
//	└ session-N         one agent's session: its streams, the requests under way
//	collector           admits collections, shares answers among identical ones
//	└ collect-N         one collection: asks the sessions, gathers their answers
//
// service.go runs in gRPC's goroutines: a handler asks the registry for a session,
// starts the stream's reader, and waits until the session has ended the stream and what
// was queued for it is sent; it decides nothing. What an actor decides is in its
// x_state.go, which knows neither actors nor streams and gets the time as an argument.
//
// Who tells whom what:
//
//	service -> registry   admit, abandon, find
//	service -> session    attach; then the readers' frames
//	session -> registry   heartbeat, sessionEnded; registry -> session  heard, released
//	collect -> registry   findTargets; registry -> collect  targets, gotFailure of a session that has died
//	collect -> session    askMetrics, forget; session -> collect  gotChunk, gotFailure
//	collector <-> collect collected, cancelled by stopping it
//
// What all of them do is counted in a tally, and what peers make them log is limited by a
// peerLog. Both are no actors and outlive theirs.
//
// What a stranger can do is bounded by the following files:
//
//   - connection.go, session_key.go: who may open a session's streams
//   - registry_admission_state.go: who may register, and who has to go for whom
//   - registration_rate_state.go: how often an address may register
//   - registry_config_state.go: what configurations may take in memory
//   - peer_log.go, log_limit_state.go: how many lines of the log a peer may cause
//
// The registry is the only truth about who is online. A session that has ended
// says so once, and is then only waited for until its streams' readers are gone.
package proxy
