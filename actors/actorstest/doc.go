// Package actorstest helps to test actors. Only tests may import it.
//
//   - Run: a synctest bubble with a system in it
//   - Probe: an actor that records its messages
//   - Crash: a message that makes an actor panic
//   - RunScripts, RunMatrix: scripts for state machines, and tables of every event in every
//     state, both compared with reviewed files
//
// Peers that know the baseline of the wire contract only, for one side under test. They share nothing
// with the .proto of this module. Their messages are Fields, in the form of protobuf's JSON:
// {"listProfiles": {"requestId": "1"}}. They work over any connection: in memory, in a bubble or with
// real ports.
//
//   - Baseline, NewBaseline, BaselineFields (baseline.go): messages by the table in baseline_table.go; Field
//     (fields.go) finds a field in one
//   - PlainAgent (plainagent.go): RegisterPlainAgent registers; Open opens one of the six streams, whose
//     PlainStream (plainstream.go) sends and receives messages and raw bytes; Serve answers each question
//   - PlainProxy (plainproxy.go): Register adds it to a gRPC server; Session waits for an agent. With a
//     PlainSession (plainsession.go): Stream, Ask, Answers, Collect, with Count and Until for how many answers
//     are enough; PlainQuestion is the question of a stream
//   - FakeDatabase (fakedatabase.go): the services that an agent asks a database for; Set says how a method is
//     answered: with a message, an error, a delay or never. SetProfile (fakeprofiles.go) does the same for its
//     port of profiles. Listen takes real ports, Serve any listeners
package actorstest
