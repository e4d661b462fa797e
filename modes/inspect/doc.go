// Package inspect describes a journal for people and scripts.
//
//   - report.go: the report of a journal's segments; gaps.go: when nothing was kept in it, and why
//   - table.go, json.go: a report as text and as JSON
//
// It reads no file: what a journal has is an argument.
package inspect
