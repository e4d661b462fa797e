// Package query shows the result of a query to a person at a terminal, or to a script.
//
//   - result.go: the response of a proxy as series
//
// The package is pure.
package query
