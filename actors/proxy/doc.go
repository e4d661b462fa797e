// Package proxy holds the actors of the proxy, and the gRPC service through which
// agents reach them.
//
//	registry            who is who: nodes, their sessions, heartbeats, removal
//	└ session-N         one agent's session: its streams, the requests under way
//	collector           admits collections, shares answers among identical ones
//	├ collect-N         one collection: asks the sessions, gathers their answers
//	└ download-N        one file of an agent, for one reader
//	clusterincidents    makes incidents of the cluster of those of its agents, and of nodes that are lost
//	crashes             keeps the crash records of all nodes, and asks agents for new ones
//	evidence            fetches the evidence of incidents from agents, and keeps it
//	keeplast            keeps the last minutes of all nodes on disk, if it is told to
//	schemas             compares what nodes have of the database's schema with its registry
//	alertmanager        tells Alertmanagers of incidents, if there are any to be told
//
// service.go runs in gRPC's goroutines: a handler asks the registry for a session,
// starts the stream's reader, and returns when the session has ended the stream and the
// queued frames are sent. It decides nothing. The decisions of an actor are in its
// x_state.go, a pure struct that knows neither actors nor streams and gets the time as an
// argument.
//
// Collections for queries yield to those for pages: pages_ahead.go.
//
// The messages between them:
//
//	service -> registry   admit, abandoned, find; checkAdmission, which changes nothing (service_check.go)
//	service -> session    attach, attachDrained; then the frames of the readers
//	session -> registry   heartbeat, sessionEnded
//	registry -> session   heartbeatAcknowledged, endAcknowledged, endSession
//	collect -> registry   findTargets
//	registry -> collect   targets; answerFailure for a session that has panicked
//	collect -> session    ask, cancelRequest
//	session -> collect    answerChunk, answerFailure
//	session -> crashes    crashArrived, crashesAttached
//	session -> clusterincidents  incidentsAttached, incidentsChanged (session_incidents.go)
//	clusterincidents -> registry   showCluster
//	clusterincidents -> collector  collectQuery, in a goroutine
//	crashes, schemas -> collector  collectQuery
//	clusterincidents -> alertmanager      incidentAlert, incidentRemoved
//	collect -> collector  collected; the collector cancels a collect actor by stopping it
//	collector -> collect  noPages
//	download -> registry  findTargets; and back targets, answerFailure
//	download -> session   ask, consumed, cancelRequest; and back answerChunk, answerFailure
//	keeplast -> registry  findTargets; and back targets
//	clusterincidents -> evidence  fetchEvidence, forgetEvidence; and back nodeFetched
//
// A session asks on several streams, each of which is a channel (channel.go). What differs between
// them is a protocol (protocol.go): how a question becomes a frame, what a frame says, and the rules
// by which channel_state.go and channel_answer_state.go pair answers with requests. A new stream is one
// more protocol, or one more kind of that of protocol_parts.go, its conversion in package wire, and what
// asks its question by a collection.
//
// A file is read by Proxy.Download, in the goroutine of the reader. It asks the actor for one chunk at a
// time, and with that says that it has consumed the one before. An agent of ours is asked for one piece
// after the other (download_state.go); the frames of others are held by the session (channel_hold_state.go).
//
// All of them count in counters.go and log what peers cause through peer_log.go. Neither is
// an actor, so both survive the restart of an actor.
//
// These files bound what a stranger can do:
//
//   - connection.go, session_key.go: who may open a session's streams
//   - registry_admission_state.go: who may register
//   - registry_identity_state.go, node_certificate_state.go: who may be which node
//   - credentials.go, registry_credentials.go: certificates and tokens of agents, and what is done when they are not accepted any more
//   - registry_eviction_state.go: which node is evicted for a new one
//   - registration_rate_state.go: how often an address may register
//   - registry_config_state.go: what configurations may take in memory
//   - listener.go, connections.go: how many connections there may be, and how long without a session;
//     package connlimit decides which one is closed
//   - stream_rate_state.go: how often a connection may open streams
//   - service_first_frame.go: how long a stream may wait for its registration
//   - peer_log.go, log_limit_state.go: how many lines of the log a peer may cause
//
// evidence_state.go and evidence_jobs_state.go decide what is fetched when, evidence_fetch.go fetches files in
// goroutines, and evidence_samples.go makes blocks of samples; what it says is in evidence_messages.go. keep_last_state.go
// decides whose samples are fetched when, keep_last_times_state.go which scrapes are new, and keep_last_node.go
// writes them.
//
// incidents_work.go has the goroutines of the actor clusterincidents; what it decides is in one state with a file
// for each kind of event:
//
//   - incidents_report_state.go: an agent tells of its incidents; what is taken of that
//   - incidents_merge_state.go: which belong together, which open one, which are only counted
//   - incidents_document_state.go: the document, within its limits
//   - incidents_lost_state.go: the rules of the proxy, of nodes that are lost; incidents_alerts_state.go: their alerts
//   - incidents_context_state.go: neighbours keep their evidence beside it
//   - incidents_end_state.go: open, frozen, collected
//   - incidents_fetch_state.go: what is fetched of a node, while it is open and then
//   - incidents_asked_state.go: what somebody wants
//   - incidents_write_state.go: what is stored when
//
// crashes_disk_state.go decides what is written to disk, which package store does in a goroutine.
// schemas_state.go judges the schema, schemas_compare_state.go finds disagreements;
// proxy_crashes.go is what the rest of the program may ask of both actors. proxy_evidence.go reads files of agents
// that are kept nowhere.
//
// alertmanager_state.go decides what is sent to which Alertmanager and when, alertmanager_alert.go what an alert says;
// alertmanager_post.go sends it, in a goroutine.
//
// Only the registry knows who is online. A session that has ended reports it once; its
// actor then lives until the readers of its streams are gone.
package proxy
