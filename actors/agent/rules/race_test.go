//go:build race

package rules

// underRace says that the race detector watches, which makes these tests ten times as slow. Those that play hours by themselves, in one
// goroutine, play fewer of them then: without it all are played.
const underRace = true
