package kernel

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestExitOf(t *testing.T) {
	for status, want := range map[int32]Event{
		0x0:    {},
		0x200:  {Code: 2},
		0xff00: {Code: 255},
		0x9:    {Signal: 9},
		0xf:    {Signal: 15},
		0x8b:   {Signal: 11, Dumped: true},
	} {
		want.Kind = ProcessExit
		require.Equal(t, want, exitOf(status), "%#x", status)
	}
}
