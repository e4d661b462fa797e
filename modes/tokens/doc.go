// Package tokens has the secrets by which programs show who they are, as their SHA-256 in a file.
//
//   - parse.go: Parse, from the lines of a file
//   - table.go: Table, which finds the name and the role of a token
//
// A line is `name role sha256:HEX`, in which HEX are the 64 digits of the SHA-256 of the token. Empty lines, and those that begin
// with #, say nothing. Two lines may have the same name: so a token is replaced by another one without a moment in which
// neither is good. A file that is empty is an error, as one that is about to be written is: who wants no token writes a comment.
//
// The hash is a fast one. A password needs a slow one, as people choose passwords that can be guessed. A token has to be
// long and random, such as that of `openssl rand -hex 32`: nobody can try all of them, however fast. A token is found by its
// hash, and how long that takes tells nothing about the token.
package tokens
