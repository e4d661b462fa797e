package modes

import (
	"bytes"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
)

// A file that cannot be used ends the program with 1. One line names the flag, the file and the reason.
func TestTLSFilesAtTheStart(t *testing.T) {
	dir, ca := t.TempDir(), certtest.NewCA(t, "ca")
	issue := func(name string, l certtest.Leaf) { ca.Issue(t, l).Write(t, dir, name) }
	issue("good", certtest.Leaf{CN: "good"})
	issue("other", certtest.Leaf{CN: "other"})
	issue("old", certtest.Leaf{CN: "old", NotAfter: time.Now().Add(-time.Minute)})
	issue("early", certtest.Leaf{CN: "early", NotBefore: time.Now().Add(time.Hour)})
	ca.Write(t, dir, "ca")
	certtest.WriteFile(t, filepath.Join(dir, "short.crt"), ca.CertPEM[:200])
	certtest.WriteFile(t, filepath.Join(dir, "tokens"), []byte("hunter2 hunter2"))
	f := func(mode string, flags map[string]string, flag, file, reason string) {
		t.Helper()
		args := []string{programName, mode, "--log-format", "json", "--log-level", "error"}
		if mode == "agent" {
			args = append(args, "--node-id", "n", "--node-role", "r", "--prometheus-listen-addr", "127.0.0.1:0", "--proxy-addr", "127.0.0.1:1", "--proxy-tls")
		} else {
			args = append(args, "--grpc-listen-addr", "127.0.0.1:0", "--http-listen-addr", "127.0.0.1:0")
		}
		for name, file := range flags {
			args = append(args, "--"+name, filepath.Join(dir, file))
		}
		var stdout, stderr bytes.Buffer
		code := runMain(t, args, &stdout, &stderr, Runners{Proxy: RunProxy, Agent: RunAgent, Standalone: RunStandalone})
		said := stderr.String()
		require.Equal(t, exitFailure, code, said)
		require.Equal(t, 1, strings.Count(said, "\n"), said)
		for _, text := range []string{"--" + flag + ": ", filepath.Join(dir, file), reason} {
			require.Contains(t, said, text)
		}
		require.NotContains(t, said, "hunter2")
	}
	pair := func(cert, key string) map[string]string {
		return map[string]string{"grpc-tls-cert-file": cert, "grpc-tls-key-file": key}
	}
	for _, mode := range []string{"proxy", "standalone"} {
		f(mode, pair("gone.crt", "good.key"), "grpc-tls-cert-file", "gone.crt", "no such file")
		f(mode, pair("good.crt", "gone.key"), "grpc-tls-cert-file", "gone.key", "no such file")
		f(mode, pair("good.crt", "other.key"), "grpc-tls-cert-file", "other.key", "does not fit the certificate")
		f(mode, pair("short.crt", "good.key"), "grpc-tls-cert-file", "short.crt", "is cut short")
		f(mode, pair("old.crt", "old.key"), "grpc-tls-cert-file", "old.crt", "has expired")
		f(mode, pair("early.crt", "early.key"), "grpc-tls-cert-file", "early.crt", "is not valid before")
		with := pair("good.crt", "good.key")
		for file, reason := range map[string]string{"gone.crt": "no such file", "short.crt": "is cut short", "good.key": "has no certificate", "good.crt": "none of an authority"} {
			with["grpc-client-ca-file"] = file
			f(mode, with, "grpc-client-ca-file", file, reason)
		}
	}
	f("proxy", map[string]string{"grpc-agent-token-file": "gone"}, "grpc-agent-token-file", "gone", "no such file")
	f("standalone", map[string]string{"grpc-agent-token-file": "tokens"}, "grpc-agent-token-file", "tokens", "line 1: it has 2 words")
	f("agent", map[string]string{"proxy-ca-file": "gone.crt"}, "proxy-ca-file", "gone.crt", "no such file")
	f("agent", map[string]string{"proxy-ca-file": "good.crt"}, "proxy-ca-file", "good.crt", "none of an authority")
	f("agent", map[string]string{"proxy-cert-file": "good.crt", "proxy-key-file": "other.key"}, "proxy-cert-file", "other.key", "does not fit the certificate")
	f("agent", map[string]string{"proxy-cert-file": "old.crt", "proxy-key-file": "old.key"}, "proxy-cert-file", "old.crt", "has expired")
	f("agent", map[string]string{"proxy-token-file": "gone"}, "proxy-token-file", "gone", "no such file")
	f("agent", map[string]string{"proxy-token-file": "tokens"}, "proxy-token-file", "tokens", "has more than a token")
}

// Flags of TLS that make no sense together are wrong usage.
func TestTLSFlagsTogether(t *testing.T) {
	agent := func(words string, more ...string) {
		t.Helper()
		wrong(t, run(t, nil, nil, append([]string{"agent", "--node-id", "n", "--node-role", "r"}, more...)...), words)
	}
	agent(`--proxy-key-file is missing`, "--proxy-tls", "--proxy-cert-file", "a")
	agent(`--proxy-cert-file is missing`, "--proxy-tls", "--proxy-key-file", "a")
	agent(`--proxy-tls-min-version "1.2": needs --proxy-tls`, "--proxy-tls-min-version", "1.2")
	agent(`--proxy-server-name "a b": must be the name of a host`, "--proxy-tls", "--proxy-server-name", "a b")
	agent(`--proxy-token-file "a": needs --proxy-tls, since --proxy-addr "proxy:1" is not on this machine: the token could be read on its way`,
		"--proxy-token-file", "a", "--proxy-addr", "proxy:1")
	agent(`since --proxy-addr "10.0.0.1:1" is not on this machine`, "--proxy-token-file", "a", "--proxy-addr", "127.0.0.1:1", "--proxy-addr", "10.0.0.1:1")
	agent(`since --proxy-addr "localhost.evil:1" is not on this machine`, "--proxy-token-file", "a", "--proxy-addr", "localhost.evil:1")
	for _, addr := range []string{"127.0.0.1:1", "[::1]:1", "localhost:1", "[::ffff:127.0.0.1]:1"} {
		require.Zero(t, run(t, nil, nil, "agent", "--node-id", "n", "--node-role", "r", "--proxy-token-file", "a", "--proxy-addr", addr).code, addr)
	}
	require.Zero(t, run(t, nil, nil, "agent", "--node-id", "n", "--node-role", "r", "--proxy-token-file", "a", "--proxy-tls", "--proxy-addr", "proxy:1").code)
	for _, mode := range []string{"proxy", "standalone"} {
		f := func(words string, more ...string) {
			t.Helper()
			wrong(t, run(t, nil, nil, append([]string{mode}, more...)...), words)
		}
		f(`--grpc-tls-key-file is missing`, "--grpc-tls-cert-file", "a")
		f(`--grpc-tls-cert-file is missing`, "--grpc-tls-key-file", "a")
		f(`--grpc-node-id-from "cn": needs --grpc-client-ca-file`, "--grpc-tls-cert-file", "a", "--grpc-tls-key-file", "a", "--grpc-node-id-from", "cn")
		require.Zero(t, run(t, nil, nil, mode, "--grpc-agent-token-file", "a").code, "the proxy may be behind one that ends TLS")
		f(`--grpc-client-auth "optional": needs --grpc-client-ca-file`, "--grpc-tls-cert-file", "a", "--grpc-tls-key-file", "a", "--grpc-client-auth", "optional")
	}
}

// The log says what is open, and what changes that. On a loopback address nothing is.
func TestTLSLogSaysWhatIsOpen(t *testing.T) {
	everywhere := &net.TCPAddr{IP: net.IPv6unspecified, Port: 17900}
	f := func(want string, c GRPCTLSConfig) {
		t.Helper()
		require.Empty(t, c.open(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}))
		require.Empty(t, c.open(&net.TCPAddr{IP: net.IPv6loopback, Port: 1}))
		if want == "" {
			require.Empty(t, c.open(everywhere))
			return
		}
		require.Contains(t, c.open(everywhere), want)
		require.Contains(t, c.open(&net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 1}), want)
	}
	f("agents connect without TLS: ", GRPCTLSConfig{})
	f("--grpc-tls-cert-file and --grpc-client-ca-file change that", GRPCTLSConfig{})
	f("--grpc-client-ca-file changes that", GRPCTLSConfig{CertFile: "a"})
	f("as --grpc-client-auth is optional", GRPCTLSConfig{CertFile: "a", ClientCAFile: "b", ClientAuth: clientAuthOptional})
	f("", GRPCTLSConfig{CertFile: "a", ClientCAFile: "b", ClientAuth: clientAuthRequire})
	f("", GRPCTLSConfig{CertFile: "a", TokenFile: "b"})
	require.Contains(t, GRPCTLSConfig{TokenFile: "b"}.readable(everywhere), "agents show tokens without TLS")
	require.Empty(t, GRPCTLSConfig{TokenFile: "b"}.readable(&net.TCPAddr{IP: net.IPv6loopback, Port: 1}))
	require.Empty(t, GRPCTLSConfig{TokenFile: "b", CertFile: "a"}.readable(everywhere))
	require.Contains(t, LinkSecurityConfig{}.open([]string{"127.0.0.1:1", "proxy:1"}), "--proxy-tls changes that")
	require.Empty(t, LinkSecurityConfig{}.open([]string{"127.0.0.1:1", "localhost:1"}))
	require.Empty(t, LinkSecurityConfig{TLS: true}.open([]string{"proxy:1"}))
}
