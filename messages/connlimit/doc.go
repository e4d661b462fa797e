// Package connlimit decides which connections of a server have to go, so that strangers can fill neither
// its memory nor its files: a server has a limit in all and one of an address, and closes an old connection
// for a new one. A connection in use (with a session of an agent, or with a request under way) is never
// closed for another one.
//
// The package touches no connection and no clock: it gets what happened and when, and returns which
// connections the caller has to close.
package connlimit
