package agent

import "fodc/actors/agent/crash"

// What the states know of package crash, which reads files: plain data.
type (
	crashScan = crash.Scan
	crashLog  = crash.LogRead
	crashExit = crash.Exit
)

const (
	// crashPIDField and crashLogField are the process id and the log's name in the metadata of a process.
	crashPIDField = crash.PIDField
	crashLogField = crash.LogField
	// crashSignalField is the signal that has ended it.
	crashSignalField = crash.SignalField
	// crashStderr is the component of a crash of which nothing names one.
	crashStderr = crash.Stderr
	// crashKernel is that of one of which the kernel alone has told.
	crashKernel = "kernel"
	// crashRecordsBytes bounds the records of logs.
	crashRecordsBytes = crash.MaxRecordsBytes
)

// crashErrorReasons are the reasons of errors for metrics.
var crashErrorReasons = []string{crashErrorSource, crashErrorHangs, crashErrorSkipped, crashErrorStorage,
	string(crash.ReasonInvalid), string(crash.ReasonTooLarge), string(crash.ReasonLink), string(crash.ReasonUnreadable)}
