package kernel

import (
	"bytes"
	"encoding/binary"
	"strings"
	"time"
)

// eventBytes is the size of an event of the kernel's programs, commBytes that of a process's name in it.
const (
	eventBytes = 64
	commBytes  = 16
)

// decodeEvent decodes an event of the kernel's programs. started is when the host was started.
func decodeEvent(raw []byte, started time.Time) (e Event, ok bool) {
	if len(raw) < eventBytes {
		return e, false
	}
	u32 := func(at int) uint32 { return binary.NativeEndian.Uint32(raw[at:]) }
	e = Event{At: started.Add(time.Duration(binary.NativeEndian.Uint64(raw))).Truncate(time.Millisecond),
		PID: int(u32(12)), Comm: commOf(raw[32:]), SenderPID: int(u32(20)), SenderComm: commOf(raw[32+commBytes:])}
	status := u32(16)
	switch u32(8) {
	case 1:
		e.Kind, e.Signal, e.Dumped = ProcessExit, int(status&0x7f), status&0x80 != 0
		if e.Signal == 0 {
			e.Code, e.Dumped = int(status>>8&0xff), false
		}
	case 2:
		e.Kind, e.Signal = ProcessSignal, int(status)
		e.Sender = map[uint32]Sender{1: SenderKernel, 2: SenderProcess, 3: SenderSelf}[u32(24)]
	case 3:
		e.Kind = MemoryKill
		e.Victim = map[uint32]Victim{0: VictimOther, 1: VictimNode, 2: VictimAgent}[u32(28)]
	default:
		return e, false
	}
	return e, true
}

// commOf returns the name of a process.
func commOf(raw []byte) string {
	name, _, _ := bytes.Cut(raw[:commBytes], []byte{0})
	return strings.ToValidUTF8(string(name), "\uFFFD")
}
