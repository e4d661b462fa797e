// Package simulation has no code of the program. Its tests run real agents and a real proxy
// together, in fake time, over a network in memory with random faults, and check invariants.
//
//	plan_test.go, faults_test.go     the steps and their times, drawn from a seed
//	question_test.go                 the requests of clients
//	network_test.go, conn_test.go    the network and its faults
//	tap_test.go                      faults of one stream alone
//	world_test.go, perform_test.go   the proxy, and how a plan is executed
//	process_test.go, page_test.go    the agents, and the pages of their nodes
//	streams_test.go                  the streams beside that of metrics: topology, profiles, crash records
//	storage_test.go                  the directories of journals, which survive agents
//	baseline_test.go                 an agent that knows the baseline of the contract only
//	second_proxy_test.go             a second proxy, which is never disturbed
//	check_test.go, sessions_test.go  invariants after each step, and at the end
//	answer_test.go, samples_test.go  invariants of the answer to a client
//	simulation_test.go               the test, its flags and its report
//
// # To run it
//
//	go test -race ./actors/simulation                        seeds 1 to 1000
//	go test -race ./actors/simulation -seeds 20000           more of them
//	go test -race ./actors/simulation -seed 7 -v             one seed, with its plan
//	go test -race ./actors/simulation -seed 7 -count 200     the same, 200 times
//	go test -race ./actors/simulation -seed 5000 -seeds 500  500, from 5000 on
//	go test -race ./actors/simulation -large -seeds 500      more nodes and faults a seed
//
// A failure prints the seed, the violated invariants, the plan, and a trace: what was done,
// and with -seed also what was logged, each with the time since the beginning.
//
// # What a seed is
//
// A seed gives a number of nodes, a time of disturbances, and a list of steps. After them all
// faults are repaired, and everything must recover within the reconnect interval and the
// heartbeat timeout. Then everything is stopped, and nothing may be left.
//
// The steps: connections are reset, or dropped on the path without an error; the path is
// blocked in one direction or both; bytes are slow; one stream alone breaks, or all beside those
// of registration and metrics; frames are duplicated; a node crashes; a node's page fails, is slow, is garbage or has some; agents are killed, lose
// power, say goodbye, come back; two processes of a node overlap; another machine claims to
// be a node; the proxy is stopped, killed, or loses power; clients ask at the same moment,
// with different deadlines, filters and windows, and some cancel.
//
// # What must hold
//
//   - A node is in the cluster at most once. An undisturbed node is online: a second and the
//     reconnect interval after a disturbance of which both ends get an error, and the
//     heartbeat timeout later after a silent one.
//   - A node that is undisturbed keeps its session, even if its metrics stream breaks.
//   - A disturbance of one proxy, or of a path to it, does not show at the other proxy.
//   - A node from which nothing can arrive is not shown as online for longer than the
//     heartbeat timeout. One that has said goodbye is gone.
//   - No second machine can replace a node that is online.
//   - A session that has ended has no actor soon after; a collection has one only while
//     a client waits for it.
//   - A process has one connection at a time.
//   - A request returns by its deadline, and at once when its client cancels. The answer has
//     each selected node exactly once, sorted.
//   - No sample is in an answer twice. A node's samples are its own, of one process, of
//     the times asked for, and all of these; the latest are those of the newest scrape,
//     and none if that has failed.
//   - A process that has a journal also has the samples of those before it that had one: all that
//     were recorded before a kill or a stop, and all that were synced before a power cut.
//   - A topology and a list of profiles are whole, of the node and one process of it, and of now.
//   - A crash record that a client of a proxy has seen, or that is on the proxy's disk, is never lost. An
//     agent that has answered has told of all. No node has the records of another.
//   - A node that is undisturbed is in every answer, whatever happens to the others.
//   - An orderly stop of an agent or of the proxy keeps its time limit.
//   - No actor fails, no error is logged, and at the end no actor, goroutine or
//     connection is left.
//
// # What repeats, and what does not
//
// The plan and the fake time of each step depend on the seed alone, and are the same on every
// machine. The order of events at the same moment of fake time is up to Go's scheduler, and
// the delays before agents reconnect, agent ids and the order of maps are random. A fault
// that depends on these shows only in some runs of a seed: use -count to find it again. The
// trace shows the order of events.
//
// # What it does not reach
//
// Proxies that know the baseline only: package agent tests agents with these. An agent and the
// proxies share an actor system, but exchange messages over the network only. No file of the
// kernel is read.
package simulation
