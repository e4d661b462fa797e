package recorder

import (
	"testing"

	"github.com/stretchr/testify/require"

	"fodc/messages"
)

func TestScanSeries(t *testing.T) {
	f := func(text, name string, labels ...messages.Label) {
		t.Helper()
		gotName, got, err := scanSeries(text, nil)
		require.NoError(t, err)
		require.Equal(t, name, gotName)
		require.Equal(t, labels, got)
	}
	f("a", "a")
	f(" a", "a")
	f("a ", "a")
	f("a{}", "a")
	f("a:b {}", "a:b")
	f(`a{x="1"}`, "a", messages.Label{Name: "x", Value: "1"})
	f(`a{x="}",}`, "a", messages.Label{Name: "x", Value: "}"})
	f(`a{ x	=	"\\\"\n\t" , "y z"="" }`, "a", messages.Label{Name: "x", Value: "\\\"\n\\t"}, messages.Label{Name: "y z"})
	f(`{"a b"}`, "a b")
	f(`{x="1","\"\\\n"}`, "\"\\\n", messages.Label{Name: "x", Value: "1"})

	bad := func(text string) {
		t.Helper()
		_, _, err := scanSeries(text, nil)
		require.ErrorIs(t, err, errRawSeries)
	}
	bad("a b")
	bad("a{")
	bad("a{x")
	bad("a{x}")
	bad("a{x=1}")
	bad("a{x=}")
	bad(`a{x="1`)
	bad(`a{x="1\`)
	bad(`a{"x"}`)
	bad(`{"x","y"}`)
	bad(`a{=""}`)
}

// The check of plain names is that of messages.
func TestCheckRawName(t *testing.T) {
	for _, name := range []string{"", "a", "a:b_9", "9a", "A_Z", "a b", "a\\nb", "é", "\xff", "a\x00", "`", "{", "[", "@"} {
		require.Equal(t, messages.CheckMetricName(unescape(name)), checkRawName([]byte(name)), name)
	}
}
