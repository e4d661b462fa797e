// Package certtest makes certificates for tests, and replaces files as those who rotate them do.
//
//   - certtest.go: authorities, and what they issue
//   - files.go: files that are written by rename, and directories that are swapped as those of Kubernetes' secrets
package certtest
