package kernel

import (
	"errors"
	"time"
)

// maxReapWait is how long the status of a process that has ended is waited for. The kernel tells it when the parent has asked
// for it, or is gone, too: that takes microseconds, and on a host that is short of everything longer.
const maxReapWait = time.Second

// reapStep is how long a look waits for the next one.
const reapStep = 2 * time.Millisecond

// ErrNoProcess says that there is no such process, or that another one has its id.
var ErrNoProcess = errors.New("the process is gone, or another one has its id")

// exitOf returns the exit that a status is, as wait(2) tells it.
func exitOf(status int32) Event {
	return Event{Kind: ProcessExit, Signal: int(status & 0x7f), Dumped: status&0x80 != 0, Code: int(status >> 8 & 0xff)}
}
