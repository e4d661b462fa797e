// Package access decides which requests over HTTP are answered, and who has made them.
//
//   - gate.go: Gate, which every request passes
//   - settings.go: Settings, what a web configuration says of that, and Identity, who has asked
//   - identify.go: from the credentials of a request to an identity
//   - passwords.go: passwords of basic authentication, which are compared one at a time
//   - passwords_state.go: who may wait for that, and how often it is done
//   - cache.go: what was compared before
//   - hosts.go: the names by which a server on this machine may be asked
//   - refusal.go: why a request is refused, and how often that was so
package access
