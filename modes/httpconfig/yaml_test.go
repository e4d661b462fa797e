package httpconfig

import (
	"errors"
	"testing"

	"github.com/prometheus/common/config"
	"github.com/stretchr/testify/require"
)

// Errors name the line and the field, and no value.
func TestErrorsOfFiles(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		var c config.HTTPClientConfig
		require.EqualError(t, Unmarshal([]byte(text), &c), want)
	}
	f("basic_auth:\n  username: u\n  passwrd: planted\n", `line 3: unknown field "passwrd"`)
	f("basic_auth: planted\n", `line 1: fields are needed here`)
	f("basic_auth:\n  password: [planted]\n", `line 2: a list is not allowed here`)
	f("follow_redirects: planted\n", `line 1: true or false is needed here`)
	f("basic_auth:\n  password: a\n  password: planted\n", `line 3: "password" is there twice`)
	f("basic_auth:\n  password: *planted\n", `a value begins with * or &: put it in quotes`)
	f("basic_auth:\n  password: a: planted\n", `line 2: mapping values are not allowed in this context`)
	f("basic_auth:\n  password: 'planted\n", `line 3: found unexpected end of stream`)
	f("basic_auth:\n  password: !!int planted\n", `not valid YAML of this format`)
	f("planted\n", `line 1: fields are needed here`)
	f("proxy_url: \"http://u:planted@host:port/\"\n", `proxy_url is not a URL`)
	f("tls_config:\n  min_version: planted\n", `min_version and max_version are TLS10, TLS11, TLS12 or TLS13`)
	f("authorization:\n  credentials: planted\nbasic_auth:\n  password: planted\n", `at most one of basic_auth, oauth2 & authorization must be configured`)
	f("basic_auth:\n  password: planted\n  password_file: planted\n", `at most one of basic_auth password, password_file & password_ref must be configured`)
	f("http_headers:\n  Authorization:\n    values: [planted]\n", `setting header "Authorization" is not allowed`)
	f("a: 1\nb: 2\n", `line 1: unknown field "a"; line 2: unknown field "b"`)
}

func TestOwnFaults(t *testing.T) {
	require.EqualError(t, Unmarshal([]byte("a: 1"), new(faulty)), "faulty")
}

type faulty struct{}

func (*faulty) UnmarshalYAML(func(any) error) error { return errors.Join(Fault("faulty")) }
