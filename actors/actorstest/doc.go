// Package actorstest helps to test actors: a bubble of fake time with a system in it
// (Run), an actor that keeps what it gets (Probe), a message that makes an actor panic
// (Crash), scripts that play a state machine and compare its transcript
// (RunScripts), tables of every event in every state (RunMatrix), and the messages of
// peers that speak the baseline of the wire contract and nothing else (Baseline). Only tests may import it.
package actorstest
