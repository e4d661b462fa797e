// Package wire is the gRPC contract between agents and proxies: fodc.proto, the
// code generated from it, and the pure conversion between frames and the types
// of package messages, in both directions.
//
// Every frame comes from a peer that may be old, broken or hostile. What the
// From functions return has been checked: names, label texts and types are valid,
// texts are within their limits, columns have the right length; what was not is
// left out and counted, and nothing that a peer sends can make them panic.
//
// The streams beside that of metrics have one conversion: stream.go (questions) and stream_reply.go
// (answers), with a file for the parts of each stream; stream_incidents.go has all of that of incidents. stream_limits.go has the limits of texts and lists,
// stream_elements.go refuses frames that would take far more memory than bytes, and stream_chunks.go
// splits answers that do not fit one frame.
package wire
