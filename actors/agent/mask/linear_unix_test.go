//go:build unix

package mask

import (
	"math"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// hostile are texts that a rule may look at again and again.
var hostile = []string{"token=", "token={", "token=[\"", `token="`, `token='\"`, "cookie:", "authorization:digest ", "authorization:digest:", "bearer ", "--token\n",
	"eyJ-", "eyJaaaaa.", "xoxb-", "sk-", "hvs.", "ghp_", "AKIA", "/hooks/", "/hooks/a", "discord.com/api/webhooks/", "$2a$", "1Q~", "a1Q~", "12345678:", "123456789",
	"-----BEGIN PRIVATE", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "-----END ", "-----", "a:b@", "://", "@", "\"@", "%3D", "%", "LS0t", "aGVsbG8=",
	"a=", "=", ":", "-", "--a ", "\\", "\"=", "]=", "<token>", "é", "a", "pass=1 ", "a1B2", "md5", "*", "s.", "{SHA}", "-u a:b "}

// cpuTime returns the processor time of this process in nanoseconds. Unlike the time of a
// clock it does not depend on what else the machine does.
func cpuTime(t *testing.T) int64 {
	t.Helper()
	var r syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &r))
	return r.Utime.Nano() + r.Stime.Nano()
}

// The time of each rule is in proportion to the text: none looks from each place of it to
// its end. A text of eight times the size takes about eight times as long, and sixty-four
// times with such a rule. The best of several runs counts.
func TestTimeIsLinear(t *testing.T) {
	const size, factor, limit, runs = 16 << 10, 8, 24, 12
	took := func(text string) int64 {
		began := cpuTime(t)
		_ = Value("x", text)
		_ = Key(text)
		return max(cpuTime(t)-began, 1)
	}
	for _, h := range hostile {
		short, long := int64(math.MaxInt64), int64(math.MaxInt64)
		for n := 0; n < runs && (n == 0 || long/limit >= short); n++ {
			short = min(short, took(upTo(h, size)))
			long = min(long, took(upTo(h, factor*size)))
		}
		require.Less(t, long/limit, short, "%q", h)
	}
}
