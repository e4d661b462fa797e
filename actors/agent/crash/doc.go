// Package crash finds out about crashes of the database: from the artifacts that it writes, and from its log.
//
//   - directory.go: Directory, which the database writes its artifacts to; which of them are looked at
//   - artifact.go: one artifact: when its panic.json is complete, what has changed
//   - panicfile.go: ParsePanic reads a panic.json; dirname.go: what the name of the directory says
//   - watch.go: what the system says of changes in a directory
//   - logfile.go: LogFile, a log of the node; tail.go: what was added to it, across rotation and truncation
//   - parser.go: Parser finds crashes in the lines of a log; dump.go, stack.go: what Go's runtime writes when
//     it ends a process; exit.go: what shells, the kernel and others say of the end of a process; unwrap.go:
//     the logs of container runtimes
//   - records.go: the file in which the records of crashes that logs have told of survive the agent
//   - limits.go: limits of a record; texts as they may leave the machine
//   - open_unix.go, open_windows.go: files that are opened without blocking, and while others rename them
//
// All that is read was written by others: it is bounded, secrets are masked (package mask), and links, pipes
// and devices are never opened. A directory or a log may be on a disk that hangs: then Scan and Read do, and
// further calls return at once. The parsers know no file and no clock.
package crash
