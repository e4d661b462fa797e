// Package ruletest runs unit tests of alerting rules, in the format of promtool, without promtool.
//
//   - test.go: runs the tests of a file; file.go: its format; compare.go: what is expected, and what is
//   - series.go: the input series, as the storage of a Prometheus
package ruletest
