// Package logsink takes the lines of a log without ever making their writer wait, and
// keeps what others have said from reaching a terminal as anything but text.
//
//   - queue_state.go: which lines wait, which are dropped, and what is said of those
//   - sink.go: the queue's one writer, and the limits of a flush
//   - encoder.go, printable.go: one entry, one line, of printable characters
//
// It knows the encoders of zap, and nothing of this program.
package logsink
