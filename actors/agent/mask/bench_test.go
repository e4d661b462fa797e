package mask

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const mib = 1 << 20

// upTo returns the text again and again, so many bytes of it.
func upTo(text string, size int) string { return strings.Repeat(text, size/len(text)+1)[:size] }

// hostile are texts that a rule may look at again and again.
var hostile = []string{"token=", "token={", "token=[\"", `token="`, `token='\"`, "cookie:", "authorization:digest ", "authorization:digest:", "bearer ", "--token\n",
	"eyJ-", "eyJaaaaa.", "xoxb-", "sk-", "hvs.", "ghp_", "AKIA", "/hooks/", "/hooks/a", "discord.com/api/webhooks/", "$2a$", "1Q~", "a1Q~", "12345678:", "123456789",
	"-----BEGIN PRIVATE", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "-----END ", "-----", "a:b@", "://", "@", "\"@", "%3D", "%", "LS0t", "aGVsbG8=",
	"a=", "=", ":", "-", "--a ", "\\", "\"=", "]=", "<token>", "é", "a", "pass=1 ", "a1B2", "md5", "*", "s.", "{SHA}", "-u a:b "}

// The time of each rule is in proportion to the text: none looks from each place of it to
// its end. One that does takes seconds; the others take a fiftieth of the limit. On
// a busy machine the best of several runs counts.
func TestTimeIsLinear(t *testing.T) {
	const size, limit, runs = mib / 8, time.Second, 4
	for _, h := range hostile {
		text := upTo(h, size)
		best := time.Hour
		for n := 0; n < runs && best > limit; n++ {
			began := time.Now()
			_ = Value("x", text)
			_ = Key(text)
			best = min(best, time.Since(began))
		}
		require.Less(t, best, limit, "%q", h)
	}
}

func BenchmarkText(b *testing.B) {
	const log = "2026-01-02T03:04:05.678Z INFO storage/measure/tstable.go:123 flushed {\"group\": \"sw_metric\", \"part\": \"00000000000001a2\", \"took\": \"12ms\"}\n"
	const yaml = "server:\n  grpc-port: 17912\n  endpoints: http://etcd-0:2379,http://etcd-1:2379\n  password: hunter2\n"
	for _, c := range []struct{ name, text string }{{"log", log}, {"yaml", yaml}, {"base64", "TmVpdGhlciBhIHBhc3N3b3JkIG5vciBhIGtleTogd29yZHM"}} {
		b.Run(c.name, func(b *testing.B) {
			text := upTo(c.text, mib)
			b.SetBytes(mib)
			for b.Loop() {
				_ = Text(text)
			}
		})
	}
}

func BenchmarkValue(b *testing.B) {
	for b.Loop() {
		_ = Value("--etcd-endpoints", "http://etcd-0.etcd:2379,http://etcd-1.etcd:2379")
		_ = Value("storage.measure.flush-timeout", "30s")
	}
}
