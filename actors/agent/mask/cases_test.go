package mask

import (
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
		if shown := Key(c.Key); shown != c.Key {
			t.Errorf("the name %s shows as %s", c.Key, shown)
		}
	}
}
