package tokens

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func hashOf(token string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(token))) }

func TestTokensAreFound(t *testing.T) {
	table, err := Parse([]byte("# who scrapes\nprometheus read "+hashOf("one")+"\n\n  ops@example.com\toperate "+
		strings.ToUpper(hashOf("two")[7:])+"\n"), "read", "operate")
	require.ErrorContains(t, err, "line 4: the hash: allowed is sha256: with the 64")
	require.Zero(t, table.Len())
	table, err = Parse([]byte("# who scrapes\r\nprometheus read "+hashOf("one")+"\r\n\r\n  ops@example.com\toperate "+
		"sha256:"+strings.ToUpper(hashOf("two")[7:])+"\nprometheus read "+hashOf("next")), "read", "operate")
	require.NoError(t, err)
	require.Equal(t, 3, table.Len())
	require.True(t, table.Has("prometheus") && table.Has("ops@example.com"))
	require.False(t, table.Has("read") || table.Has(""))
	find := func(token, name, role string) {
		t.Helper()
		gotName, gotRole, ok := table.Find(token)
		require.Equal(t, [...]any{name, role, name != ""}, [...]any{gotName, gotRole, ok})
	}
	find("one", "prometheus", "read")
	find("next", "prometheus", "read")
	find("two", "ops@example.com", "operate")
	find("", "", "")
	find("One", "", "")
	find(hashOf("one"), "", "")
	table, err = Parse([]byte("# nobody read "+hashOf("one")+"\n"), "read")
	require.NoError(t, err)
	_, _, ok := table.Find("one")
	require.False(t, ok)
	_, _, ok = Table{}.Find("one")
	require.False(t, ok)
	require.False(t, Table{}.Has(""))
}

func TestTokensThatAreNotAllowed(t *testing.T) {
	good := hashOf("one")
	for _, c := range []struct{ file, want string }{
		{"", "the file is empty: allowed are lines of a name, a role and sha256:HEX, with spaces between, or a comment alone"},
		{"\n \n", "the file is empty"},
		{"a read", "line 1: it has 2 words, allowed is a name, a role and sha256:HEX"},
		{"a read " + good + " more", "line 1: it has 4 words"},
		{"\n\na\"b read " + good, "line 3: the name: letters, digits and any of . _ - @ : / are allowed, at most 128 of them"},
		{"ä read " + good, "line 1: the name: "},
		{strings.Repeat("a", 129) + " read " + good, "line 1: the name: "},
		{"a write " + good, "line 1: the role: allowed is read or operate"},
		{"a " + good + " read", "line 1: the role: allowed is read or operate"},
		{"a read " + good[7:], "line 1: the hash: allowed is sha256: with the 64 hexadecimal digits of the SHA-256 of the token"},
		{"a read " + good[:70], "line 1: the hash: "},
		{"a read " + good + "00", "line 1: the hash: "},
		{"a read sha512:" + good[7:], "line 1: the hash: "},
		{"a read " + hashOf(""), "line 1: the hash: it is that of nothing"},
		{"a read " + good + "\nb read " + hashOf("two") + "\nb read sha256:" + strings.ToUpper(good[7:]), "line 3: the hash is that of line 1, and each token is allowed once"},
		{"# " + strings.Repeat("x", 1024), "line 1: it has 1026 bytes, at most 1024 are allowed"},
		{"#" + strings.Repeat("\n", 10_000) + "#", "line 10001: at most 10000 lines are allowed"},
		{manyTokens(1001), "line 1001: it has one token too many, at most 1000 are allowed"},
	} {
		_, err := Parse([]byte(c.file), "read", "operate")
		require.ErrorContains(t, err, c.want)
		require.NotContains(t, err.Error(), good[10:20], "a hash is not shown: %s", c.file)
	}
	_, err := Parse([]byte(manyTokens(1000)), "agent")
	require.ErrorContains(t, err, "line 1: the role: allowed is agent")
	_, err = Parse([]byte(manyTokens(1000)), "read")
	require.NoError(t, err)
}

func manyTokens(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a read %s\n", hashOf(fmt.Sprint(i)))
	}
	return b.String()
}

func FuzzParse(f *testing.F) {
	f.Add("a read "+hashOf("one"), "one")
	f.Add("# x\n\na read "+hashOf("one")+"\r\nb operate "+hashOf("two"), "two")
	f.Add("a read sha256:", "")
	f.Fuzz(func(t *testing.T, file, token string) {
		table, err := Parse([]byte(file), "read", "operate")
		if err != nil {
			require.NotContains(t, err.Error(), "\n")
			require.Less(t, len(err.Error()), 200)
			require.Zero(t, table.Len())
			return
		}
		name, role, ok := table.Find(token)
		if !ok {
			return
		}
		require.True(t, isName(name) && (role == "read" || role == "operate"))
		require.Contains(t, strings.ToLower(file), hashOf(token))
	})
}
