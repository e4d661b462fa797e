package mask

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLines(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		var l Lines
		var got []string
		for _, line := range strings.Split(text, "\n") {
			got = append(got, l.Line(line))
		}
		require.Equal(t, want, strings.Join(got, "\n"))
	}
	f("a password=hunter2\nb", "a password=***\nb")
	f("x -----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0\nc2VjcmV0=\n-----END RSA PRIVATE KEY----- y\nc2VjcmV0", "x ***\n***\n***\n*** y\nc2VjcmV0")
	f("-----BEGIN PRIVATE KEY-----\\nc2Vj\\n-----END PRIVATE KEY-----\nb", "***\nb")
	f("-----BEGIN CERTIFICATE-----\nb", "-----BEGIN CERTIFICATE-----\nb")
	f("2026-03-01 key: -----BEGIN EC PRIVATE KEY-----\n2026-03-01 c2Vj\n2026-03-01 -----END EC PRIVATE KEY-----\nb", "2026-03-01 key: ***\n***\n***\nb")
	f("authorization:digest ", "authorization:***") // what is masked there is empty
	f("tokens: [\n a,\n b]\nc", "tokens: ***\n***\n***\nc")
	f("token:\nnext word\nx", "token:\n*** word\nx")
	// The end of a key whose beginning is not there.
	f(strings.Repeat("MIIE", 16)+"\nshort\n-----END PRIVATE KEY-----\nb", "***\nshort\n***\nb")
	// One whose end does not come hides so much and no more.
	got := strings.Repeat("\nb", maxKeyLines+1)
	f("-----BEGIN PRIVATE KEY-----"+got, "***"+strings.Repeat("\n***", maxKeyLines)+"\nb")
}
