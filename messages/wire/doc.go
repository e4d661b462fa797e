// Package wire is the gRPC contract between agents and proxies: fodc.proto, the
// code generated from it, and the pure conversion between frames and the types
// of package messages, in both directions.
//
// Every frame comes from a peer that may be old, broken or hostile. What the
// From functions return has been checked: names, label texts and types are valid,
// texts are within their limits, columns have the right length; what was not is
// left out and counted, and nothing that a peer sends can make them panic.
package wire
