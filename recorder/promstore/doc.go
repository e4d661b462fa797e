// Package promstore shows the samples of nodes as the storage of a Prometheus, so that its engine
// evaluates queries over them: those of a window and a journal, and those that many agents answer.
//
//   - store.go: what a store is made of; options of a request
//
// The package is pure: what it reads it gets from a function, and the time, too.
package promstore
