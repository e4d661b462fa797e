// Package httpconfig makes HTTP clients of files in the format of Prometheus' HTTPClientConfig: who lets them in, which
// authorities they trust, through which proxy they go. All files are read when the configuration is loaded, so that a
// request never waits for a disk; and no error has a secret.
//
//   - config.go: a file with such a configuration
//   - inline.go: secrets and certificates from the files that a configuration names
//   - transport.go: the transport and the client that are made of a configuration
//   - token.go: OAuth2 tokens, with a deadline
//   - redirect.go: redirects that are followed
//   - describe.go: a configuration in words
//   - yaml.go: strict YAML, whose errors quote no values
package httpconfig
