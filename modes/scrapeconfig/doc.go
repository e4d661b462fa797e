// Package scrapeconfig reads the file that says how the endpoints of a node are scraped: who lets the agent in, and
// limits, by the names and in the sense of Prometheus.
//
//   - file.go: the format of the file
//   - load.go: the file, and those that it names, become the settings of endpoints
package scrapeconfig
