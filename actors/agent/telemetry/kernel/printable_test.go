package kernel

import (
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestPrintable(t *testing.T) {
	for comm, want := range map[string]string{
		"":                     "",
		"banyand":              "banyand",
		"tmux: server":         "tmux: server",
		"a\nb\x1b[31m\x00\x7f": "a?b?[31m??",
		"\xff\xfe":             "??",
		"b\u202ea\u2028":       "b?a?",
		"日本":                   "日本",
		"日本語日本語":               "日本語日本",
		"0123456789abcdefgh":   "0123456789abcde",
	} {
		require.Equal(t, want, Printable(comm), "%q", comm)
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add("a\xffb\n")
	f.Fuzz(func(t *testing.T, comm string) {
		text := Printable(comm)
		require.True(t, utf8.ValidString(text))
		require.LessOrEqual(t, len(text), maxComm)
		for _, r := range text {
			require.True(t, unicode.IsPrint(r), "%q", text)
		}
	})
}
