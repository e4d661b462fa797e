package mask

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const mib = 1 << 20

// upTo repeats the text up to the size in bytes.
func upTo(text string, size int) string { return strings.Repeat(text, size/len(text)+1)[:size] }

// hostile are texts that make a careless rule search the same bytes again and again.
var hostile = []string{"token=", "token={", "token=[\"", `token="`, `token='\"`, "cookie:", "authorization:digest ", "authorization:digest:", "bearer ", "--token\n",
	"eyJ-", "eyJaaaaa.", "xoxb-", "sk-", "hvs.", "ghp_", "AKIA", "/hooks/", "/hooks/a", "discord.com/api/webhooks/", "$2a$", "1Q~", "a1Q~", "12345678:", "123456789",
	"-----BEGIN PRIVATE", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "-----END ", "-----", "a:b@", "://", "@", "\"@", "%3D", "%", "LS0t", "aGVsbG8=",
	"a=", "=", ":", "-", "--a ", "\\", "\"=", "]=", "<token>", "é", "a", "pass=1 ", "a1B2", "md5", "*", "s.", "{SHA}", "-u a:b ",
	"----", "---- BEGIN PRIVATE", "------BEGIN PRIVATE KEY", "-----END PRIVATE", "BEGIN", "Private-Lines:", "Private-Lines: Private-MAC:", "token:\n ", "token:\n", " token: |\n",
	"- token:\n  ", `token="""`, "token='''", `token("`, "token: !a ", "name:token value:", "name: token\n", "value=", "login a password ", "password 'a", `password "`, "by 'a' ", "by ",
	"auth: a\n", "auth:a", "/token: a", "/token:", ".a.abcdef.", "Mabcdefghijklmnopqrstu.abcdef.", "pat", "re_", "sk_", "IBAAKCA", "/u3+7Q", "commit ", "-ua:", "-u", "h1:", "tokens: [\n", "{\n", "hash=", "hash:", "{hash: ",
	"mysql -p", "mysql -pa ", "mysql ", "-p ", "sshpass -p ", "sshpass -v ", "redis-cli -a ", " -a", "h:1:d:u:p\n", "h:1:d:u:p", "a:1:", "\\:", "mysql;-pa ",
	"mysql,-pa,", "mysql -p8:", "mysql/-pa/", "sshpass -p1:1 ", "mysql -x ",
	"-u=a:", "-u=1:", "-u=1,", "token-file:", "token-file=/", "cookie:[] ", "token=[", "token=('", "token:[",
	`\n`, `token:\n `, `mysql\n-pa `, `a:1:b:c:d\n`, `\u0026`, `\u0022token\u003d`, `\\u005c`,
	"user=1,", "login=a:b,", `"--token","`, "[--token, ", "- --token\n", "token=&a.b{", "token=[]a{", "/token:v1.1", "tls_key=/a.key,", "a.password=x\n", "token=a\\\n", "token=\\\n", "token: !a &b |\n", "token: # a\n", "token: '\n"}

// maskAll masks the text in each way.
func maskAll(text string) {
	_ = Value("x", text)
	_ = Key(text)
	_ = linesOf(text)
}

// BenchmarkHostile masks each text, and one eight times as long. growth is the ratio of their
// times for each byte: it is near 1 while all rules are linear in the length of the text, and
// near 8 for a rule that searches from each place of the text to its end.
func BenchmarkHostile(b *testing.B) {
	const factor, size = 8, mib / 64
	took := func(text string) time.Duration {
		start := time.Now()
		maskAll(text)
		return time.Since(start)
	}
	for _, h := range hostile {
		b.Run(fmt.Sprintf("%q", h), func(b *testing.B) {
			short, long := upTo(h, size), upTo(h, factor*size)
			var onShort, onLong time.Duration
			for b.Loop() {
				onShort += took(short)
				onLong += took(long)
			}
			b.ReportMetric(onLong.Seconds()/onShort.Seconds()/factor, "growth")
		})
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

// BenchmarkLines masks a log of a database line by line, as it is captured.
func BenchmarkLines(b *testing.B) {
	var lines []string
	for i, size := 0, 0; size < mib; i++ {
		line := fmt.Sprintf(`{"level":"info","module":"STORAGE.SW_METRIC.SEG-20260101","shard":%d,"part":"%016x","took":"%dms","time":"2026-01-01T12:00:00Z","message":"merged parts"}`, i%4, i*7919, i%300)
		lines, size = append(lines, line), size+len(line)+1
	}
	b.SetBytes(mib)
	b.ReportAllocs()
	for b.Loop() {
		var l Lines
		for _, line := range lines {
			_ = l.Line(line)
		}
	}
}

func BenchmarkValue(b *testing.B) {
	for b.Loop() {
		_ = Value("--etcd-endpoints", "http://etcd-0.etcd:2379,http://etcd-1.etcd:2379")
		_ = Value("storage.measure.flush-timeout", "30s")
	}
}
