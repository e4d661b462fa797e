// Package simulation holds no code of the program. Its tests play real agents and a
// real proxy against each other, in fake time, over a network in memory that is
// disturbed at random, and look whether what must always hold does.
//
//	plan_test.go, faults_test.go     what is done, and when: drawn from a seed
//	question_test.go                 what clients ask
//	network_test.go, conn_test.go    the network, and what can be wrong with it
//	tap_test.go                      the streams, and what can be wrong with one alone
//	world_test.go, perform_test.go   the proxy, and how a plan is played
//	process_test.go, page_test.go    the agents, and the pages of their nodes
//	baseline_test.go                 an agent of the baseline, which stands beside ours
//	beside_test.go                   a second proxy, which nothing is done to
//	check_test.go, sessions_test.go  what must hold after each step, and at the end
//	answer_test.go, samples_test.go  what must hold for the answer to a client
//	simulation_test.go               the test, its flags and its report
//
// # To run it
//
//	go test -race ./actors/simulation                        seeds 1 to 1000
//	go test -race ./actors/simulation -seeds 20000           more of them
//	go test -race ./actors/simulation -seed 7 -v             one seed, with its plan
//	go test -race ./actors/simulation -seed 7 -count 200     and again and again
//	go test -race ./actors/simulation -seed 5000 -seeds 500  500, from 5000 on
//	go test -race ./actors/simulation -large -seeds 500      more nodes and faults a seed
//
// A failure tells the seed, what is wrong, the plan, and the story: what was done, and
// with -seed also what was logged, each with its time from the beginning.
//
// # What a seed is
//
// A number of nodes, a time of disturbances, and a list of steps. Then everything is
// set right, and within the reconnect interval and the heartbeat timeout all must be
// as if nothing had been. Then everything is stopped, and nothing may be left.
//
// What is done: connections are reset, or forgotten on the way; the path is blocked in
// one direction or both; bytes are slow; one stream breaks, and no other; frames come
// twice; a node's page fails, is slow, is garbage or has some; agents are killed, lose their power, say
// goodbye, come back; two processes of a node overlap; another machine claims to be a
// node; the proxy is stopped, killed, or loses its power; clients ask at the same
// moment, with several deadlines, filters and windows, the same things and different
// ones, and some give up.
//
// # What must hold
//
//   - A node is in the cluster at most once. Undisturbed it is online: a second and the
//     reconnect interval after what both ends were told of, and the heartbeat timeout
//     later after what nobody was told of.
//   - A node that is undisturbed keeps its session, even if its metrics stream breaks.
//   - What is done to one proxy, or to a path to it, is not seen in another proxy.
//   - A node of which nothing can come is not shown as online for longer than the
//     heartbeat timeout. One that has said goodbye is gone.
//   - No second machine gets the place of a node that is online.
//   - A session that is over has no actor soon after; a collection has one only while
//     a client waits for it.
//   - A process has one connection at a time.
//   - An answer comes by its deadline, and when its client gives up, at once. It has
//     each node that was asked for exactly once, sorted.
//   - No sample is in an answer twice. A node's samples are its own, of one process, of
//     the times asked for, and all of these; the latest are those of the newest scrape,
//     and none if that has failed.
//   - A node that is undisturbed is in every answer, whatever happens to the others.
//   - An orderly stop, of an agent or of the proxy, takes no longer than it may.
//   - No actor fails, no error is logged, and at the end no actor, goroutine or
//     connection is left.
//
// # What repeats, and what does not
//
// The plan, and the fake time of each of its steps, come from the seed alone, and are
// the same on every machine. What happens at the same moment of fake time is put in
// order by Go's scheduler; the delays before agents connect again, agent ids, and the
// order of maps come from Go's own chance. So a fault that hangs on these shows in some
// runs of a seed and not in others: -count finds it again, and the story tells what the
// order was.
//
// # What it does not reach
//
// Proxies are of today: that agents live with those of the baseline is tested beside the
// agent. An agent and the proxies share an actor system, which no message crosses but
// through the network. No file of the kernel is read.
package simulation
