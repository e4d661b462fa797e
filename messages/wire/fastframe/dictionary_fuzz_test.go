package fastframe

import (
	"testing"

	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
)

// All frames are read as the generated code reads them.
func FuzzDictionary(f *testing.F) {
	frames := dictionaryFrames()
	for _, frame := range frames {
		f.Add([]byte(frames["defined"]), []byte(frame))
	}
	m := wire.FromAnswer(node(1, 1), testNow)
	m.RequestID = 1
	agent := &wire.DictionaryEncoder{}
	agent.Begin(1)
	first := encode(f, agent.Frame(m))
	agent.Begin(1)
	f.Add(first, encode(f, agent.Frame(m)))
	f.Fuzz(func(t *testing.T, before, frame []byte) {
		d, oracle := New(), &plainDictionary{number: 1}
		d.Renew(1)
		for _, b := range [][]byte{before, frame, before, frame} {
			b = oracle.next(b)
			want := oracle.read(b)
			got := readOrRenew(d, oracle, b)
			if got == repeated && want == said(wire.Answer{}, ErrBroken) {
				continue // What has come before is not read, broken or not.
			}
			require.Equal(t, want, got)
		}
	})
}
