// Package webconfig loads the file of --web-config-file, which has the format of Prometheus' exporter-toolkit: TLS, client
// certificates, users with passwords, headers and a limit of requests.
//
//   - load.go: Loader, which makes a Config of the file and of those that it names, and decides what may change in a running program
//   - tls.go: the settings of TLS, with their files
//   - rules.go: what the toolkit would find out later, or not at all
//
// The types of the file, and what becomes of them, are the toolkit's. Its server reads the files anew for each connection, and
// refuses it if one is broken. Here the version before stays in force then: see package files.
package webconfig
