// Package capture captures what is to be kept of a node in trouble, while it still answers: profiles over
// HTTP, the state of its process, logs, crash artifacts, its configuration.
//
//   - plan.go: Config, and Plan: the steps for the opening of an incident; PlanFreeze: those for its end
//   - step.go: Step, one piece of evidence; Output, what it writes to; Result; Turn, for one heavy step at a time
//   - pace.go: the pauses between steps that can wait
//   - runner.go: Runner, which runs steps: time limits, and what hangs; output.go: the limit of a file
//   - pprof.go: steps of profiles; profile.go: Profile, the profiles of a Go process; Heap and Goroutine
//   - client.go: Client, one request: its limits, and whether the answer is whole; content.go: Content, what an
//     answer must be; body.go: the answer's body, counted and written while it is checked
//   - process.go: steps of the node's process, from /proc; procfiles.go: its open files and threads; thread.go: one of them
//   - nodelog.go: steps of the node's logs: the end, and what is written until the freeze
//   - kernellog.go, kernellog_linux.go: the last lines of the kernel's log
//   - crashfiles.go: steps of crash records and artifacts
//   - text.go: texts that others have written: masked, and without what controls a terminal
//   - ramps.go: profiles that were captured before, while the node's memory grew
//   - agentfiles.go: what the agent knows: config.json, agent/actors.json
//   - names.go: names of files
//
// Whoever has an incident makes a Plan, and gives it to a Runner in a goroutine: the incident's opening waits for
// none of it. Steps never hold all of what they write. One that fails, hangs or panics ends no other one; its
// Result says why, in a text for people. None is tried twice: a node in trouble is not asked again and again.
// Steps that ask the node (Heavy) run one at a time, also beside other captures with the same Turn.
// A step whose evidence stays where it is (Stays) waits, so that an incident takes little of the processor at a time.
// Steps that follow logs end after Config.Frozen is closed, and so does Runner.Run; then PlanFreeze has what was
// written in the meantime. After a restart Config.Have leaves out what there is.
//
// A request follows no redirect, and has a limit of size and one of time. An answer that was cut short is an
// error. What else is captured goes into a file of its own.
package capture
