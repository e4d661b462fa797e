package modes

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

// FuzzFlagValue sets one flag of standalone mode, which has nearly all of them, to
// any text: the configuration is accepted, or the flag is named in one line.
func FuzzFlagValue(f *testing.F) {
	names := []string{"proxy-addr"}
	for _, o := range standaloneCommand(Runners{}).options {
		names = append(names, o.name)
	}
	for i, name := range names {
		for _, value := range wrongValues[name] {
			f.Add(i, value)
		}
	}
	f.Fuzz(func(t *testing.T, i int, value string) {
		if i < 0 || i >= len(names) {
			t.Skip()
		}
		cmd := standaloneCommand(Runners{})
		if names[i] == "proxy-addr" {
			cmd = agentCommand(Runners{})
			set(t, cmd, "node-id", "n")
			set(t, cmd, "node-role", "r")
		}
		set(t, cmd, names[i], value)
		err := cmd.parse()
		if err == nil {
			return
		}
		text := err.Error()
		require.True(t, strings.HasPrefix(text, "--"), text)
		require.Contains(t, text, "--"+names[i])
		require.False(t, strings.ContainsFunc(text, unicode.IsControl), "%q", text)
	})
}

func set(t *testing.T, cmd command, name, value string) {
	t.Helper()
	i := slices.IndexFunc(cmd.options, func(o *option) bool { return o.name == name })
	require.GreaterOrEqual(t, i, 0, name)
	require.NoError(t, cmd.options[i].Set(value))
}

func TestShorten(t *testing.T) {
	f := func(want, text string) {
		t.Helper()
		require.Equal(t, want, shorten(text))
	}
	f(`"a\nb"`, "a\nb")
	f(`"`+strings.Repeat("ä", 80)+`"`, strings.Repeat("ä", 80))
	f(`"`+strings.Repeat("ä", 80)+`"... (162 bytes)`, strings.Repeat("ä", 81))
}
