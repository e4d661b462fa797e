package nodeconfig

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestIsSecret(t *testing.T) {
	f := func(want bool, keys ...string) {
		t.Helper()
		for _, key := range keys {
			require.Equal(t, want, isSecret(key), key)
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
		require.Equal(t, want, maskValue(key, value, isSecret(key)), "%s=%s", key, value)
	}
	f("password", "hunter2", masked)
	f("password", "", "")
	f("password", "true", "true")
	f("token-enabled", "false", "false")
	f("password", "1234", masked)
	// Where a secret lies is none.
	f("--password-file", "/run/secrets/pw", "/run/secrets/pw")
	f("tls.key.path", "./certs/server.key", "./certs/server.key")
	f("tls-key-file", "server.key", "server.key")
	f("tls-key-file", "hunter2", masked)
	f("token-file", "/run/a b", masked)
	f("token-file", "Zm9v/YmFy=", masked)
	f("password", "/run/secrets/pw", masked)
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
	f("--x", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln-_", masked)
	f("--x", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", masked)
	f("--x", "-----BEGIN CERTIFICATE-----\nMIIE", "-----BEGIN CERTIFICATE-----\nMIIE")
	f("--data-path", "/data/a,b", "/data/a,b")
}

// A secret in one of the usual wrappings never shows, whatever stands around it.
func FuzzMask(f *testing.F) {
	const secret = "hunter2"
	f.Add("", "", 0)
	f.Add("http://", "/x", 1)
	f.Add("a b", "@c", 2)
	wrappings := []string{"x://u:S@h", "password=S", "--api-key S", "u:S@tcp(h)/d", "Bearer S", `{"token":"S"}`}
	f.Fuzz(func(t *testing.T, before, after string, n int) {
		if strings.Contains(before+after, secret) || strings.ContainsAny(before, "\"'") {
			return
		}
		wrapped := strings.ReplaceAll(wrappings[uint(n)%uint(len(wrappings))], "S", secret)
		if shown := maskText(before + " " + wrapped + " " + after); strings.Contains(shown, secret) {
			t.Fatalf("%q shows as %q", wrapped, shown)
		}
	})
}
