// Package clidoc writes what shells and readers need to know of a command line: completions for bash, zsh and fish, and
// the manual page. All are made of one description.
//
//   - command.go: the description of commands and flags
//   - bash.go, zsh.go, fish.go: completions; words.go: what they share
//   - man.go: the manual page; roff.go: texts in roff
//
// The package is pure.
package clidoc
