// Package query shows the result of a query to a person at a terminal, or to a script.
//
//   - response.go: the answer of Prometheus' HTTP API; result.go: its series and samples
//   - output.go: which form a result gets; table.go: series at one time; csv.go: a row a sample
//   - chart.go, axis.go, columns.go: series over a range of time, as lines of text; legend.go: which
//     line is which series
//   - labels.go: what series have in common, and what tells them apart
//   - text.go: numbers, times, and texts of strangers in a terminal
//
// The package is pure. What it writes has no control characters of the data.
package query
