// Package actorstest helps to test actors: a bubble of fake time with a system in it
// (Run), an actor that keeps what it gets (Probe), and scripts that play a state
// machine and compare its transcript (RunScripts). Only tests may import it.
package actorstest
