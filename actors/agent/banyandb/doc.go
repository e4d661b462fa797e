// Package banyandb gets what a database node knows of itself, of its cluster and of its groups: it asks
// the node by gRPC on the loopback interface, and reads the reports of its lifecycle runs.
//
//	client.go       the calls, with their deadlines and limits
//	connection.go   one connection to a port, and what that port does not serve
//	reports.go      the reports of lifecycle runs, which the node writes to a directory
//
// What a node says is bounded in size, and converted by package wire. Nothing is kept but the
// connection: when and how often a node is asked is for the caller to decide.
package banyandb
