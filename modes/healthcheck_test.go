package modes

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestHealthcheck(t *testing.T) {
	status := http.StatusOK
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "/-/ready", r.URL.Path)
		w.WriteHeader(status)
		_, _ = w.Write([]byte("starting\n"))
	})
	plain := httptest.NewServer(handler)
	defer plain.Close()
	addr := plain.Listener.Addr().String()
	_, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	f := func(c HealthcheckConfig) (string, error) {
		var out bytes.Buffer
		c.Timeout = max(c.Timeout, 10*time.Millisecond)
		err := RunHealthcheck(t.Context(), c, &out, &bytes.Buffer{})
		return out.String(), err
	}
	for _, listen := range []string{addr, ":" + port, "0.0.0.0:" + port} {
		out, err := f(HealthcheckConfig{ListenAddrs: []string{listen}, Timeout: time.Minute})
		require.NoError(t, err)
		require.Equal(t, "http://127.0.0.1:"+port+"/-/ready: ready\n", out)
	}
	require.Equal(t, "[::1]:5", localAddr("[::]:5"))
	require.Equal(t, "h:5", localAddr("h:5"))

	status = http.StatusServiceUnavailable
	_, err = f(HealthcheckConfig{ListenAddrs: []string{addr}, Timeout: time.Minute})
	require.EqualError(t, err, "http://"+addr+`/-/ready: not ready: 503 Service Unavailable: "starting\\n"`)
	// All servers must be ready.
	status = http.StatusOK
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, gone.Close())
	_, err = f(HealthcheckConfig{ListenAddrs: []string{addr, gone.Addr().String()}, Timeout: time.Minute})
	require.ErrorContains(t, err, "connection refused")
	// One that does not answer.
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	_, err = f(HealthcheckConfig{ListenAddrs: []string{silent.Addr().String()}})
	require.ErrorContains(t, err, "no answer within 10ms (--timeout)")
}

// With TLS, any certificate will do: it is this machine that answers.
func TestHealthcheckWithTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	w := newCheckWorld(t)
	w.write("web.yml", "tls_server_config: {cert_file: proxy.crt, key_file: proxy.key}\n")
	c := HealthcheckConfig{ListenAddrs: []string{server.Listener.Addr().String()}, Web: WebConfig{File: w.path("web.yml")}, Timeout: time.Minute}
	var out bytes.Buffer
	require.NoError(t, RunHealthcheck(t.Context(), c, &out, &bytes.Buffer{}))
	require.Contains(t, out.String(), "https://127.0.0.1:")
	c.Web.File = w.path("none.yml")
	require.ErrorContains(t, RunHealthcheck(t.Context(), c, &out, &bytes.Buffer{}), "none.yml\": no such file or directory")
}

func TestHealthcheckCommandLine(t *testing.T) {
	f := func(want HealthcheckConfig, env []string, args ...string) {
		t.Helper()
		o := run(t, nil, env, append([]string{"healthcheck"}, args...)...)
		require.Equal(t, exitClean, o.code, o.stderr)
		if want.Timeout == 0 {
			want.Timeout = 3 * time.Second
		}
		require.Equal(t, want, o.config)
	}
	// It needs no more than the addresses, and takes everything that the mode takes.
	f(HealthcheckConfig{ListenAddrs: []string{":17902"}}, nil, "agent")
	f(HealthcheckConfig{ListenAddrs: []string{"h:1"}}, nil, "agent", "--prometheus-listen-addr", "h:1", "--node-id", "n", "--log-level", "debug")
	f(HealthcheckConfig{ListenAddrs: []string{"h:2"}, Web: WebConfig{File: "web.yml"}}, []string{"FODC_HTTP_LISTEN_ADDR=h:2", "FODC_WEB_CONFIG_FILE=web.yml"}, "proxy")
	f(HealthcheckConfig{ListenAddrs: []string{"h:3", ":17902"}}, nil, "standalone", "--config", configOf(t, "http-listen-addr: h:3\nmax-agents: 1\nlog-level: debug\n"))
	f(HealthcheckConfig{ListenAddrs: []string{":17901"}, Timeout: time.Second}, nil, "proxy", "--timeout", "1s")
	f(HealthcheckConfig{ListenAddrs: []string{":17901"}, Timeout: time.Second}, []string{"FODC_HEALTHCHECK_TIMEOUT=1s"}, "proxy")
	bad := func(words string, args ...string) {
		t.Helper()
		o := run(t, nil, nil, append([]string{"healthcheck"}, args...)...)
		require.Equal(t, exitFailure, o.code, "2 is not for checks of containers")
		require.Nil(t, o.config)
		require.Equal(t, 1, strings.Count(o.stderr, "\n"), o.stderr)
		require.Contains(t, o.stderr, words)
	}
	bad(`proxy: --http-listen-addr "h:0": must have a port`, "proxy", "--http-listen-addr", "h:0")
	bad(`proxy: unknown flag "--x"`, "proxy", "--x", "1")
	bad(`unknown command "x"`, "x")
	bad(`unknown flag "--x"`, "--x")
	bad(`must be agent, proxy or standalone`, "x")
	bad(`:1: unknown key "x"`, "proxy", "--config", configOf(t, "x: 1"))
	bad(`:1: unknown key "timeout"`, "proxy", "--config", configOf(t, "timeout: 1s"))
}

func TestModeOfACommandLine(t *testing.T) {
	f := func(mode string, flags []string, args ...string) {
		t.Helper()
		gotMode, gotFlags, ok := modeOf([]byte(strings.Join(args, "\x00") + "\x00"))
		require.Equal(t, mode, gotMode)
		require.Equal(t, flags, gotFlags)
		require.Equal(t, mode != "", ok)
	}
	f("proxy", []string{"--http-listen-addr", ":1"}, "/fodc", "proxy", "--http-listen-addr", ":1")
	f("agent", []string{}, "fodc", "--log-level", "debug", "agent")
	f("standalone", []string{"--node-role", "proxy"}, "/usr/bin/fodc", "standalone", "--node-role", "proxy")
	f("", nil, "/sbin/init")
	f("", nil, "sh", "-c", "fodc", "proxy")
	f("", nil, "fodc", "view", "x")
	f("", nil, "fodc")
	f("", nil, "")
}
