package kernel

import (
	"encoding/binary"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

var hostStart = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// rawEvent is an event as the programs write it.
func rawEvent(at time.Duration, kind, pid, status, senderPID, sender, victim uint32, comm, senderComm string) []byte {
	raw := binary.NativeEndian.AppendUint64(nil, uint64(at))
	for _, n := range []uint32{kind, pid, status, senderPID, sender, victim} {
		raw = binary.NativeEndian.AppendUint32(raw, n)
	}
	for _, name := range []string{comm, senderComm} {
		raw = append(raw, append([]byte(name), make([]byte, commBytes-len(name))...)...)
	}
	return raw
}

func TestDecodeEvent(t *testing.T) {
	const at = time.Hour + 1_999_999
	when := hostStart.Add(time.Hour + time.Millisecond)
	f := func(raw []byte, want Event) {
		t.Helper()
		got, ok := decodeEvent(raw, hostStart)
		require.True(t, ok)
		require.Equal(t, want, got)
	}
	f(rawEvent(at, 1, 7, 2<<8, 0, 0, 0, "banyand", ""), Event{Kind: ProcessExit, At: when, PID: 7, Comm: "banyand", Code: 2})
	f(rawEvent(at, 1, 7, 255<<8, 0, 0, 0, "banyand", ""), Event{Kind: ProcessExit, At: when, PID: 7, Comm: "banyand", Code: 255})
	f(rawEvent(at, 1, 7, 0, 0, 0, 0, "banyand", ""), Event{Kind: ProcessExit, At: when, PID: 7, Comm: "banyand"})
	f(rawEvent(at, 1, 7, 9, 0, 0, 0, "banyand", ""), Event{Kind: ProcessExit, At: when, PID: 7, Comm: "banyand", Signal: 9})
	f(rawEvent(at, 1, 7, 11|0x80, 0, 0, 0, "banyand", ""), Event{Kind: ProcessExit, At: when, PID: 7, Comm: "banyand", Signal: 11, Dumped: true})
	f(rawEvent(at, 2, 7, 9, 28939, 2, 0, "banyand", "bash"),
		Event{Kind: ProcessSignal, At: when, PID: 7, Comm: "banyand", Signal: 9, Sender: SenderProcess, SenderPID: 28939, SenderComm: "bash"})
	f(rawEvent(at, 2, 7, 11, 0, 1, 0, "banyand", ""), Event{Kind: ProcessSignal, At: when, PID: 7, Comm: "banyand", Signal: 11, Sender: SenderKernel})
	f(rawEvent(at, 2, 7, 6, 7, 3, 0, "banyand", "banyand"),
		Event{Kind: ProcessSignal, At: when, PID: 7, Comm: "banyand", Signal: 6, Sender: SenderSelf, SenderPID: 7, SenderComm: "banyand"})
	for n, victim := range []Victim{VictimOther, VictimNode, VictimAgent} {
		f(rawEvent(at, 3, 7, 0, 0, 0, uint32(n), "x", ""), Event{Kind: MemoryKill, At: when, PID: 7, Comm: "x", Victim: victim})
	}
	f(rawEvent(at, 3, 7, 0, 0, 0, 0, "\xffsixteen bytes!!", ""), Event{Kind: MemoryKill, At: when, PID: 7, Comm: "\uFFFDsixteen bytes!!", Victim: VictimOther})
	for _, raw := range [][]byte{nil, make([]byte, eventBytes-1), rawEvent(at, 0, 1, 1, 1, 1, 1, "", ""), rawEvent(at, 4, 1, 1, 1, 1, 1, "", "")} {
		_, ok := decodeEvent(raw, hostStart)
		require.False(t, ok)
	}
}

func FuzzDecodeEvent(f *testing.F) {
	f.Add(rawEvent(time.Hour, 2, 7, 9, 28939, 2, 0, "banyand", "bash"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, ok := decodeEvent(raw, hostStart)
		require.Equal(t, ok, len(raw) >= eventBytes && e.Kind != "")
		require.True(t, utf8.ValidString(e.Comm) && utf8.ValidString(e.SenderComm))
		require.True(t, e.Signal >= 0 && e.Code >= 0 && e.Code <= 255)
	})
}
