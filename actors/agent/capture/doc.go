// Package capture fetches what is to be kept of a node in trouble, while it still answers:
// profiles over HTTP.
//
//   - client.go: Client, one request: its limits, and whether the answer is whole
//   - content.go: Content, what an answer must be; PProf and Text
//   - body.go: the answer's body, counted and written while it is checked
//   - profile.go: Profile, the profiles of a Go process; Heap and Goroutine
//
// A request is never tried twice, follows no redirect, and has a limit of size and one of time.
// An answer that was cut short is an error. What else is captured goes into a file of its own.
package capture
