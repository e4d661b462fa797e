// Package actorstest helps to test actors. Only tests may import it.
//
//   - Run: a synctest bubble with a system in it
//   - Probe: an actor that records its messages
//   - Crash: a message that makes an actor panic
//   - RunScripts, RunMatrix: scripts for state machines, and tables of every event in every
//     state, both compared with reviewed files
//   - Baseline: messages of peers that know the baseline of the wire contract only
package actorstest
