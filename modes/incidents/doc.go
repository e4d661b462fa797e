// Package incidents shows incidents to a person at a terminal.
//
//   - answer.go: answers of the HTTP API; choose.go: which incident an abbreviation means
//   - list.go: the list; show.go, evidence.go: one incident; changes.go: what has changed first
//   - table.go: columns, times and numbers
//
// The package is pure. What it writes has no control characters of the data.
package incidents
