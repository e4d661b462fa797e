package rules

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGate(t *testing.T) {
	f := func(expr, want string) {
		t.Helper()
		p := newParser()
		parsed, err := p.ParseExpr(expr)
		require.NoError(t, err)
		got := ""
		if gate := gateOf(p, parsed); gate != nil {
			got = gate.String()
		}
		require.Equal(t, want, got)
		parsedAgain, err := p.ParseExpr(expr)
		require.NoError(t, err)
		require.Equal(t, parsedAgain.String(), parsed.String())
	}
	f("x", "")
	f("x > 1", "")
	f("x or y", "")
	f("x unless y", "")
	f("x and y", "x")
	f("x and y and z", "x")
	f("x > 1 and y or z and rate(a[1h]) > 2", "x > 1 or z")
	f("(x and y or z) and a", "(x or z)")
	f("x and y unless z", "x unless z")
	f("x unless max_over_time(z[1h])", "x")
	f("x unless z offset 1m", "x")
	f("(x and y) * 2", "")
	f("sum(x and y)", "")
	f("x and y + on (a) z or on (b) c", "x or on (b) c")
}
