package logsink

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWriter(t *testing.T) {
	f := func(want string, parts ...string) {
		t.Helper()
		var b strings.Builder
		w := NewWriter(&b)
		for _, p := range parts {
			n, err := w.Write([]byte(p))
			require.NoError(t, err)
			require.Equal(t, len(p), n)
		}
		require.NoError(t, w.Close())
		require.Equal(t, want, b.String())
	}
	f("")
	f("a\n\nb", "a\n", "\nb")
	f("a\tb\\r\n", "a\tb\r\n")
	f("{\n  \"a\": \"\\u009b31m\\u007f\\u202e\"\n}\n", "{\n  \"a\": \"\u009b31m\x7f\u202e\"\n}\n")
	f("äö\\u001b[31m", "\xc3", "\xa4\xc3", "\xb6\x1b[3", "1m")
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestWriterThatFails(t *testing.T) {
	w := NewWriter(fullDisk{})
	_, err := w.Write([]byte("a\n"))
	require.EqualError(t, err, "full")
	_, err = w.Write([]byte("b"))
	require.EqualError(t, err, "full")
	require.EqualError(t, w.Close(), "full")
}
