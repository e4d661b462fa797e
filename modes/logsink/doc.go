// Package logsink writes a log without blocking those who log, and escapes control
// characters, which peers may have put into what is logged.
//
//   - queue_state.go: the bounded queue of lines, and the count of those that were dropped
//   - sink.go: the goroutine that writes the queue, and flushes with a time limit
//   - encoder.go, printable.go: encoders that make one line of printable characters of each
//     entry; writer.go: the same for lines of any text
//
// It depends on zap, and on nothing of this program.
package logsink
