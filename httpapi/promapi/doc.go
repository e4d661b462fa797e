// Package promapi is the HTTP API of Prometheus, version 1, over a storage.
//
//   - api.go: what an API is made of, its routes, and what all of them have in common
//   - request.go, params.go: the parameters of requests
//   - respond.go, encode.go, errors.go: responses as JSON, and what they say of errors
//   - query.go: queries at a time, over a range of time, and for exemplars
//   - engine.go, cancelable.go, slog.go: the engine of Prometheus, and how its queries end in time
//   - yield.go: how queries wait for pages
//   - admission.go, admission_state.go: which queries run, and which wait; seriesmemory.go: what their
//     series take
//   - parse.go, regexps.go, madelabels.go, cost.go: what a query may not ask for, since the engine has no limit for it
//   - series.go, metadata.go, targets.go, rules.go, rulesdata.go, status.go, format.go, read.go: the other routes
//
// What a response looks like is Prometheus' to say, errors included. No response allows scripts of
// other web sites to read it.
package promapi
