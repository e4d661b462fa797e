package mask

import (
	"math/rand/v2"
	"strings"
	"testing"

	"fodc/actors/agent/mask/masktest"

	"github.com/stretchr/testify/require"
)

func TestIsSecret(t *testing.T) {
	f := func(want bool, keys ...string) {
		t.Helper()
		for _, key := range keys {
			require.Equal(t, want, IsSecret(key), key)
		}
	}
	f(true, "--etcd-password", "BYDB_ETCD_PASSWORD", "etcdPassword", "passwd", "db.pass", "PWD", "auth.token", "accessToken",
		"AWS_SECRET_ACCESS_KEY", "s3.secret", "gcp.credentials.file", "api-key", "api_key", "apiKey", "APIKEY", "private.key",
		"tls.key", "TLS_KEY", "--key", "signing-key", "client-key-data", "passphrase", "users.0.password", "credentials.user",
		"passwordFile", "Authorization", "bearer", "basic_auth.htpasswd", "s3.access-key", "encryptionKey")
	f(false, "", "--", "--data-path", "--listen-addr", "shard-key-count", "keyspace", "monkey", "key.count", "compass", "bypass-cache",
		"passive", "primary_key", "tokenizer", "index.tokenizer", "--tls", "--cert-file", "--key-file", "max_connections", "spwd-x")
}

func TestMaskValue(t *testing.T) {
	f := func(key, value, want string) {
		t.Helper()
		require.Equal(t, want, Value(key, value), "%s=%s", key, value)
	}
	f("password", "hunter2", Mark)
	f("password", "", "")
	f("password", "true", "true")
	f("token-enabled", "false", "false")
	f("password", "1234", Mark)
	// Where a secret lies is none.
	f("--password-file", "/run/secrets/pw", "/run/secrets/pw")
	f("tls.key.path", "./certs/server.key", "./certs/server.key")
	f("tls-key-file", "server.key", "server.key")
	f("tls-key-file", "server", "server")
	f("token-file", "kJ8s2nQ0pZx7Lm3Vt5WbQQ12", Mark)
	f("token-file", "ghp_"+"WiL9dv4wtfUQ1VQ3OZRkt4aQng5VP2pv9O5y", Mark)
	f("token-file", "/run/a b", Mark)
	f("token-file", "Zm9v/YmFy=", Mark)
	f("password", "/run/secrets/pw", Mark)
	// Within a value of a harmless key.
	f("--etcd", "http://root:hunter2@etcd:2379", "http://root:***@etcd:2379")
	f("--etcd", "http://root:hun/t@er2@etcd:2379", "http://root:***@etcd:2379")
	f("--etcd", "http://a:hunter2@b,http://c:hunter2@d", "http://a:***@d")
	f("--etcd", "http://hunter2@b/c", "http://***@b/c")
	f("--etcd", "http://etcd:2379/a", "http://etcd:2379/a")
	f("--mail", "a@b.example", "a@b.example")
	f("--db", "root:hunter2@tcp(db:3306)/x", "root:***@tcp(db:3306)/x")
	f("--db", "host=db user=root password=hunter2 sslmode=off", "host=db user=root password=*** sslmode=off")
	f("--url", "http://h/x?access_token=hunter2&a=b", "http://h/x?access_token=***")
	f("--backup", "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=aHVudGVyMg==;EndpointSuffix=x", "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=***")
	f("--backup", "BlobEndpoint=https://a/;SharedAccessKey=aHVudGVyMg==", "BlobEndpoint=https://a/;SharedAccessKey=***")
	f("--dest", "https://a.example/backup?sv=2024-11-04&sig=aHVudGVyMg%3D", "https://a.example/backup?sv=2024-11-04&sig=***")
	f("--dest", "https://a.example/b?X-Amz-Signature=hunter2&x=1", "https://a.example/b?X-Amz-Signature=***")
	f("--design", "a=b;design=c,config=d", "a=b;design=c,config=d")
	f("--json", `{"user":"root","password": "hunt\"er2","x":1}`, `{"user":"root","password": ***,"x":1}`)
	f("-c", "banyand --etcd-password hunter2 --tls", "banyand --etcd-password *** --tls")
	f("-c", "banyand --etcd-password='hun ter2' --tls", "banyand --etcd-password=*** --tls")
	f("--header", "Authorization: Bearer hunter2", "Authorization: Bearer ***")
	f("--header", "basic aHVudGVyMg==", "basic ***")
	f("--x", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln-_", Mark)
	f("--x", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", Mark)
	f("--x", "-----BEGIN CERTIFICATE-----\nMIIE", "-----BEGIN CERTIFICATE-----\nMIIE")
	f("--data-path", "/data/a,b", "/data/a,b")
}

// Text masks what a value holds whatever its name is, and whatever stands around it.
func TestText(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		require.Equal(t, want, Text(text))
	}
	f("", "")
	f("***", "***")
	f("dial tcp: user:hunter2@db refused, token=hunter2", "dial tcp: user:***@db refused, token=***")
	f(`{"level":"info","email":"a@b.example","to":"http://u:hunter2@h/","n":1}`, `{"level":"info","email":"a@b.example","to":"http://u:***@h/","n":1}`)
	f("auth: failed for bob, hash: computed, pin=12 pass=3", "auth: failed for bob, hash: computed, pin=12 pass=3")
	f("hash=0xdeadbeef, auth=\"hunter2\"", "hash=*** auth=***")
	f("basic authentication is on, basic arithmetic, bearer tokens are read", "basic authentication is on, basic arithmetic, bearer tokens are read")
	f("basic YWRtaW46aHVudGVyMg, Bearer hunter", "basic ***, Bearer ***")
	f("Basic dTpw, Basic Usage", "Basic ***, Basic Usage")
	f("curl -u bob:hunter2 -H 'Authorization: Bearer hunter2' http://h", "curl -u bob:*** -H 'Authorization: Bearer ***' http://h")
	f("MIIhunter2\n-----END PRIVATE KEY-----\nstarted", "***\nstarted")
	f("x\n-----BEGIN PRIVATE KEY-----\nMIIhunter2", "x\n***")
	f("--token-file /run/token --token hunter2", "--token-file /run/token --token ***")
	f("token_ttl=1h token_count=5", "token_ttl=1h token_count=5")
	f("PASSWORD ?= hunter2, secret ||= 'hunter2'", "PASSWORD ?= *** secret ||= ***")
	f(`curl --user="bob:hunter2" http://h`, `curl --user="bob:*** http://h`)
	f(`{"upstream":"kJ8s2nQ0pZx7Lm3Vt5Wb==","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"} x=kJ8s2nQ0pZx7Lm3Vt5Wb kJ8s2nQ0pZx7Lm3Vt5Wb`,
		`{"upstream":"***","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"} x=*** kJ8s2nQ0pZx7Lm3Vt5Wb`)
	f("passwords: [hunter2, hunter3] x", "passwords: *** x")
	f("password: {hunter2: x", "password: ***")
	f(`password = "hunter2\" x" y`, `password = *** y`)
	f(`password="hunter2 x`+"\ny", "password=***\ny")
	f("Cookie: a=hunter2; b=hunter3\ny", "Cookie: ***\ny")
	f("password%3Dhunter2", "***")
	f("http://u@h:1/x?y=a%20b", "http://***@h:1/x?y=a%20b")
}

// A name is masked where it is a token, an address with a password, or random.
func TestKey(t *testing.T) {
	f := func(key, want string) {
		t.Helper()
		require.Equal(t, want, Key(key))
	}
	f("users.0.name", "users.0.name")
	f("--etcd-password", "--etcd-password")
	f("tokens.ghp_"+strings.Repeat("a1B2", 9), "tokens.***")
	f("endpoints.http://u:hunter2@h/x", "endpoints.http://u:***@h/x")
	f("users.kJ8s2nQ0pZx7Lm3Vt5Wb", "users.***")
}

// What a generator makes is found at nearly any time, and what people write at no time.
func TestRandom(t *testing.T) {
	const rounds = 2000
	r := rand.New(rand.NewPCG(1, 2))
	f := func(chars string, length, percent int) {
		t.Helper()
		found := 0
		for range rounds {
			text := make([]byte, length)
			for i := range text {
				text[i] = chars[r.IntN(len(chars))]
			}
			if len(findRandom(string(text))) > 0 {
				found++
			}
		}
		t.Logf("%d of %d characters each: %.1f%%", len(chars), length, 100*float64(found)/rounds)
		require.GreaterOrEqual(t, found*100, percent*rounds)
	}
	const hex, letters = "0123456789abcdef", lowers + capital
	f(digits+letters, 20, 97)
	f(digits+letters, 32, 99)
	f(digits+letters+"+/", 40, 95)
	f(digits+letters+"-_", 43, 95)
	f(digits+lowers, 24, 95)
	f(hex, 32, 99)
	f(hex, 64, 99)
	f(letters, 32, 85)
	f(capital+"234567", 32, 90)
	f(digits, 40, 0)
}

// A secret never shows, whatever stands around it and whatever its name is.
func FuzzMask(f *testing.F) {
	f.Add("", "", 0, "x")
	f.Add("http://", "/x", 1, "path")
	f.Add("a b", "@c", 2, "hash")
	f.Add("authorization: bearer", "\"'{[", 3, "password")
	f.Add("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", 4, "auth")
	f.Add("password=\"", "\\\"%3D", 5, "token-file")
	var cases []masktest.Case
	for _, c := range masktest.Secrets() {
		if c.Leak(Text(c.Value)) == "" { // it needs no name
			cases = append(cases, c)
		}
	}
	for _, w := range []string{"x://u:S@h", "password=S", "--api-key S", "u:S@tcp(h)/d", "Bearer S", `{"token":"S"}`, "a&sig=S", "Cookie: S"} {
		cases = append(cases, masktest.NewCase("x", strings.ReplaceAll(w, "S", "hunter2"), "hunter2"))
	}
	require.Greater(f, len(cases), 100)
	f.Fuzz(func(t *testing.T, before, after string, n int, key string) {
		c := cases[uint(n)%uint(len(cases))]
		if c.Leak(before+" "+after) != "" || c.Leak(key) != "" {
			return
		}
		text := before + " " + c.Value + " " + after
		if c.Key == "text" { // it is as many lines as it has
			text = before + "\n" + c.Value + "\n" + after
		}
		for _, shown := range []string{Text(text), Value(key, text), Value("path", text), Value("x", text), Value("hash", text)} {
			if part := c.Leak(shown); part != "" {
				t.Fatalf("%q shows as %q, with %q", text, shown, part)
			}
		}
		if part := c.Leak(linesOf(text)); part != "" && (c.Key == "text" || !strings.Contains(c.Value, "\n")) {
			t.Fatalf("%q line by line shows %q", text, part)
		}
		_ = Key(text)
	})
}
