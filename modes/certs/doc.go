// Package certs makes what TLS between agents and proxies needs of files, and says in a line what is wrong with one.
//
//   - load.go: certificates with their keys, authorities and tokens, for files.Watch
//   - pem.go: the certificates of a file
//   - server.go: the proxy's side of a handshake, and whether a certificate of before is still trusted
//   - client.go: the agent's side of a handshake
//   - inmemory.go: the certificate of an agent in the process of its proxy
//
// A session is not resumed: each handshake verifies against the authorities that are in force.
package certs
