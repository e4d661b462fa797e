package mask

import (
	"slices"
	"strings"
	"testing"

	"fodc/actors/agent/mask/masktest"

	"github.com/stretchr/testify/require"
)

func TestSecrets(t *testing.T) {
	all := masktest.Secrets()
	require.GreaterOrEqual(t, len(all), 60)
	for _, c := range all {
		require.NotEmpty(t, c.Leak(c.Value), "%s has no secret", c.Value)
		shown := Value(c.Key, c.Value)
		if part := c.Leak(shown); part != "" {
			t.Errorf("%s = %s\n  shows as %s, with %q", c.Key, c.Value, shown, part)
		}
	}
}

// What is a text, or a token that is known by its form, is masked in any text, under a harmless name, and line by line.
func TestSecretsInTexts(t *testing.T) {
	for _, c := range masktest.Secrets() {
		texts := []string{c.Value}
		switch c.Key {
		case "anywhere":
			texts = append(texts, "got "+c.Value+" from x", `{"m":["`+c.Value+`"],"n":1}`, "got\n"+c.Value+"\n", "("+c.Value+")", `a\n`+c.Value+`\n`)
		case "text":
		default:
			continue
		}
		for _, text := range texts {
			for _, shown := range []string{Text(text), Value("image", text), linesOf(text)} {
				if part := c.Leak(shown); part != "" {
					t.Errorf("%q\n  shows as %q, with %q", text, shown, part)
				}
			}
		}
	}
}

// linesOf masks the lines of a text one by one.
func linesOf(text string) string {
	var l Lines
	var all []string
	for _, line := range strings.Split(text, "\n") {
		all = append(all, l.Line(line))
	}
	return strings.Join(all, "\n")
}

func TestHarmless(t *testing.T) {
	all := masktest.Harmless()
	require.GreaterOrEqual(t, len(all), 60)
	for _, c := range all {
		if shown := Value(c.Key, c.Value); shown != c.Value {
			t.Errorf("%s = %s\n  shows as %s", c.Key, c.Value, shown)
		}
		if shown := Text(c.Value); shown != c.Value {
			t.Errorf("%s as a text shows as %s", c.Value, shown)
		}
		if shown := linesOf(c.Value); shown != c.Value && !slices.ContainsFunc(strings.Split(c.Value, "\n"), isKeyLine) {
			t.Errorf("%s line by line shows as %s", c.Value, shown)
		}
		if shown := Key(c.Key); shown != c.Key {
			t.Errorf("the name %s shows as %s", c.Key, shown)
		}
	}
}
