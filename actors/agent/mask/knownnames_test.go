package mask

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"fodc/actors/agent/mask/masktest"

	"github.com/stretchr/testify/require"
)

// Whatever names were there before, a line is masked as by itself.
func TestKnownNames(t *testing.T) {
	cases := slices.Concat(masktest.Secrets(), masktest.Harmless())
	var known knownNames
	for range 2 {
		for _, c := range cases {
			for _, sign := range []string{"=", ": ", `":"`, "?", "&"} {
				text := c.Key + sign + c.Value + " ?" + c.Key + "=" + c.Value + " --" + c.Key + " " + c.Value
				require.Equal(t, findAll(text, maxNesting, nil), findAll(text, maxNesting, &known), text)
			}
		}
	}
	require.NotEmpty(t, known.names)
}

func TestKnownNamesAreBounded(t *testing.T) {
	var l Lines
	long := strings.Repeat("x", maxKnownBytes+1)
	for i := range 2 * maxKnownNames {
		require.Equal(t, fmt.Sprintf("n%d=1 password%d=*** %s=1", i, i, long), l.Line(fmt.Sprintf("n%d=1 password%d=a %s=1", i, i, long)))
	}
	require.Len(t, l.known.names, maxKnownNames)
	require.False(t, slices.ContainsFunc(l.known.names, func(k knownName) bool { return len(k.name) > maxKnownBytes }))
}
