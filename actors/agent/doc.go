// Package agent holds the actors of the agent: they scrape the node's endpoints
// into the recorder, and keep a session with each proxy.
//
//	recorder            owns the window; survives its own panics
//	journal             keeps what is recorded on disk; survives its own panics
//	scraper-N           one endpoint: a scrape each interval
//	selfmetrics         the agent's own process, as a target of its own
//	telemetry           the host, as a target of its own: see package telemetry
//	nodeconfig          how the node is configured: see package nodeconfig
//	database            asks the node who it is and which nodes it knows: see package banyandb
//	lifecycle           asks the node for its groups, and reads the reports of its lifecycle runs
//	pressure            captures profiles while the node is short of memory; survives its own panics
//	ramps               captures profiles while the node's memory grows, for an incident that may follow; survives its own panics
//	crashsource         finds out about crashes of the node: see package crash; survives its own panics
//	kernelevents        follows the node's process, and tells how it ends: see package telemetry/kernel; survives its own panics
//	rules               evaluates alerting rules each interval: see package rules; survives its own panics
//	incidents           keeps the evidence when something goes wrong; survives its own panics
//	link-N              one proxy address: the reconnect supervisor
//	└ uplink-N          one session: registration, heartbeats, answers
//
// The decisions of an actor are in its x_state.go, which knows neither actors nor streams,
// and gets the time as an argument. Goroutines do I/O only: a scrape's GET, a connect, a
// stream's reader and its writer. Each sends one final message to its actor (see sender.go),
// and ends when the actor's context ends. A goroutine that reads the host or the node's
// configuration may hang in the kernel instead: there is at most one for each part of the
// host, one for the configuration, and one for the lifecycle reports. So may one that reads from disk for an answer (see
// past_reads.go), to a proxy or to a query of the agent's own (agent_read.go): while it hangs, no other
// one begins. So may a few that answer other questions (sources.go). Failures that repeat are logged by failure_log.go.
//
// Messages between actors:
//
//	scraper, selfmetrics, telemetry -> recorder   scraped; recorder -> scraper  recorded
//	selfmetrics -> recorder            readStats; recorder -> selfmetrics  stats
//	pressure, ramps -> recorder        read, in a goroutine
//	uplink, connect -> nodeconfig      checkConfig; nodeconfig -> uplink, connect  configChecked
//	uplink -> recorder                 read, readHealth; recorder -> uplink  snapshotTaken, nodeHealth
//	pastRead -> uplink                 pastPart, pastEnded; uplink -> pastRead  next
//	sourceAnswer -> uplink             answerFrame, answerEnded; uplink -> sourceAnswer  a token for each frame
//	recorder -> journal                keepBatch; journal -> recorder  journalView, refill
//	selfmetrics -> journal             readJournal; journal -> selfmetrics  journalStatus
//	selfmetrics -> database            readPorts; database -> selfmetrics  a list of portStatus
//	topologySource -> database         readTopology; database -> topologySource  a topology, or an error
//	lifecycleSource -> lifecycle       readLifecycle; lifecycle -> lifecycleSource  answerLifecycle, or an error
//	lifecycleSource -> lifecycle       readReports; lifecycle -> lifecycleSource    lifecycleReports, if the node takes long
//	crashSource -> crashsource         readCrashes; crashsource -> crashSource  crashSnapshot
//	rules -> recorder                  read, readEvents, in a goroutine
//	rules -> incidents                 alertsFire
//	incidents -> recorder              read, readEvents, in a goroutine
//	incidents -> journal               pinJournal
//	incidents -> scraper, crashsource, nodeconfig  readTarget, readCrashes, checkConfig, in goroutines of captures
//	incidentSource -> incidents        listIncidents, getIncident, askFreeze, actOnIncident; incidents -> incidentSource  incidentList, incidentFound
//	nodeconfig -> incidents            nodeEvent
//	kernelevents -> recorder           addEvent; recorder -> journal  keepEvent
//	kernelevents -> incidents          processEvent, processDied
//	kernelevents -> crashsource        processCrashed
//	link -> recorder                   readHealth; recorder -> link  nodeHealth
//	uplink -> link                     registered, sessionOver
//	link -> uplink                     sayGoodbye, then it stops it
//
// The journal is optional. journal.go is its actor, journal_state.go and its neighbours decide, and
// journal_writer.go is the one goroutine that touches the disk: it does one operation at a time, and
// sends its result. Scrapes wait in the actor meanwhile (journal_queue_state.go), and are dropped
// where there is no room. The recorder never waits for the journal. At the start another goroutine
// reads the past into a second window (journal_recovery.go), which the recorder puts in the place
// of its own, with the scrapes of the meantime (recorder_past.go). Both goroutines may hang for as
// long as the disk does: a stop leaves them to themselves.
//
// The streams of a session on which the proxy asks and the agent answers are its channels (channel.go,
// channel_state.go). Each is opened, retried and ended on its own, and has a responder, which answers. That of
// the metrics is in answers.go and its neighbours. All others have the one in questions.go: questions_state.go
// decides which question is answered when, and which frame goes out; a Source (sources.go) makes the parts of an
// answer in a goroutine of its own (question_answer.go), which makes frames of them, in the form that the proxy
// knows (question_form.go), one ahead of the stream's writer.
//
// Who the node is may change: what flags do not say the node says itself (database.go), also later.
// identity.go has what is known, for all who want it. An uplink sends it with each heartbeat.
//
// The pressure profiler is optional. pressure.go is its actor, pressure_state.go decides when, package capture
// fetches profiles and package pressure keeps them. pressure_memory.go reads the node's memory, pressure_source.go
// answers proxies, and pressure_metrics.go is what selfmetrics shows, without a message. There is one goroutine
// for the memory, and one for a capture, which may hang as long as the disk does.
//
// The ramp profiler is optional and a sibling of it. ramps.go is its actor, ramp_state.go decides when, package capture
// captures and package ramps keeps what there is, of which incidents take theirs; ramp_metrics.go is what
// selfmetrics shows. It reads the memory as the pressure profiler does, with a reader of its own.
//
// Crashes are optional, too. crashes.go is the actor, and crash_source.go answers proxies. crashes_state.go decides
// when directories and logs are read, crash_records_state.go what a record is, and crash_storage_state.go when
// those that logs have told of are written to disk. There is one goroutine for each directory and each log, and one for
// the file of records: each may hang as long as its disk does. What the kernel says of the end of the node's process
// goes to crashRecords.exited, as what a log says of it does.
//
// Incidents are optional, too. rules.go evaluates the alerting rules, and reads them again when their files have changed
// (rules_state.go, rules_files.go). incidents.go is the actor of the incidents. incidents_state.go and its neighbours decide:
// incidents_rules_state.go when a rule opens one, and which alerts are in it; incidents_cooldown_state.go when it does not;
// incidents_asked_state.go what others ask for, incidents_revision_state.go what proxies are told; incidents_freeze_state.go when one ends, and how it goes on after a restart;
// incident_events_state.go and incident_restarts_state.go what its timeline has. incidents_run.go captures (incidents_captures.go), first what is urgent (incidents_haste.go), and
// incidents_window.go writes what was recorded, in goroutines of each incident. incidents_store.go writes documents, incidents_disk.go opens the
// directory; while that cannot be used, evidence is in memory. The journal keeps the segments of an incident until it is frozen
// (journal_pins_state.go). incidents_source.go answers proxies, agent_incidents.go HTTP, and incidents_metrics.go shows how it does.
//
// How the node's process ends is noticed where it is known which one that is. kernelevents.go is the actor: it looks for the process,
// waits for its end with a pidfd, and reads what a tracer tells of it, if there is one, each in a goroutine. kernelevents_state.go decides
// what happened once, kernelevents_death_state.go what belongs to one death and which sentence says it best, kernelevents_counts_state.go
// counts, and kernelevents_text.go has the texts. incidents_deaths_state.go has a death open an incident.
//
// A link has at most one uplink: it starts the next one when the runtime has reported the
// end of the one before. An uplink sends sessionOver when its streams, their goroutines and
// its connection are closed. So nothing of a session outlives it but a read or a source that
// hangs, and no two attempts run at once.
package agent
