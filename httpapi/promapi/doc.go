// Package promapi is the HTTP API of Prometheus, version 1, over a storage.
//
//   - api.go: what an API is made of, and its routes
//
// What a response looks like is Prometheus' to say, errors included.
package promapi
