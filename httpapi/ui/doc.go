// Package ui has the pages for people: files that the program brings with it, and serves below /ui/.
//
//   - files.go: the files, as they are sent: content types, compressed once, entity tags
//   - static/: the pages themselves. docs/pages.md says how they are made, and how to add one
//
// The pages read the public HTTP API alone. The package knows nothing of it, and touches neither files
// of the machine nor the network: the files are part of the program.
package ui
