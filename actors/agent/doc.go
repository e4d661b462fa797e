// Package agent holds the actors of the agent: they scrape the node's endpoints
// into the recorder, and keep a session with each proxy.
//
//	recorder            owns the window; survives its own panics
//	scraper-N           one endpoint: a scrape each interval
//	selfmetrics         the agent's own process, as a target of its own
//	telemetry           the host, as a target of its own: see package telemetry
//	nodeconfig          how the node is configured: see package nodeconfig
//	link-N              one proxy address: the reconnect supervisor
//	└ uplink-N          one session: registration, heartbeats, answers
//
// What an actor decides is in its x_state.go, which knows neither actors nor
// streams, and gets the time as an argument. Goroutines do I/O only: a scrape's
// GET, a connect, a stream's reader and its writer. Each ends with one message to
// its actor, and when the actor's context ends. One that reads the host or the node's
// configuration may hang in the kernel instead: there is at most one for each part of
// the host, and one for the configuration.
//
// Who tells whom what:
//
//	scraper, selfmetrics, telemetry -> recorder   scraped; recorder -> scraper  recorded
//	selfmetrics -> recorder            readStats; recorder -> selfmetrics  stats
//	uplink, connect -> nodeconfig      checkConfig; nodeconfig -> uplink, connect  configChecked
//	uplink -> recorder                 read, readHealth; recorder -> uplink  snapshotTaken, nodeHealth
//	link -> recorder                   readHealth; recorder -> link  nodeHealth
//	uplink -> link                     registered, sessionOver
//	link -> uplink                     sayGoodbye, then it stops it
//
// A link has at most one uplink: it starts the next one only when the runtime has
// said that the former is gone. An uplink says sessionOver when its streams, their
// goroutines and its connection are closed. That is why nothing of a session
// outlives it, and why no two attempts can run at once.
package agent
