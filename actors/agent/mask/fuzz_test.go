package mask

import (
	"strings"
	"testing"

	"fodc/actors/agent/mask/masktest"

	"github.com/stretchr/testify/require"
)

// What is masked stays as it is when it is masked again.
func TestMaskedTwice(t *testing.T) {
	for _, c := range masktest.Secrets() {
		for _, key := range []string{c.Key, "x", "image", "path", "hash", "password"} {
			once := Value(key, c.Value)
			require.Equal(t, once, Value(key, once), "%s of %q", key, c.Value)
		}
		once := Text(c.Value)
		require.Equal(t, once, Text(once), "of %q", c.Value)
		once = linesOf(c.Value)
		require.Equal(t, once, linesOf(once), "line by line, of %q", c.Value)
	}
}

// FuzzLines: a line by itself is masked as a text, and what is masked line by line has as many lines.
func FuzzLines(f *testing.F) {
	for _, c := range masktest.Secrets() {
		f.Add(c.Value)
		f.Add(c.Key + ": " + c.Value + "\n" + c.Key + "=" + c.Value)
	}
	for _, c := range masktest.Harmless() {
		f.Add(c.Value)
	}
	for _, h := range hostile {
		f.Add(upTo(h, 300))
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, line := range strings.Split(text, "\n") {
			var l Lines
			if got := l.Line(line); got != Mark {
				require.Equal(t, Text(line), got, "of %q", line)
			}
		}
		masked := linesOf(text)
		require.Equal(t, strings.Count(text, "\n"), strings.Count(masked, "\n"))
		_ = Text(masked)
	})
}
