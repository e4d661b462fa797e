//go:build e2e && linux

package modes_test

import (
	"errors"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestE2EOpenIsLogged: without settings, the log says once, at the start, what those can do who are not on this machine.
func TestE2EOpenIsLogged(t *testing.T) {
	t.Parallel()
	const (
		read    = "HTTP is open: all who reach the port can read everything; --web-config-file and --bearer-token-file let in those who show who they are"
		act     = "HTTP is open: all who reach the port can read everything, and open and delete incidents, as --allow-remote-actions says; --web-config-file and --bearer-token-file let in those who show who they are"
		agents  = "agents connect without TLS: who can reach --grpc-listen-addr may register, and who is between may read and change what agents send; --grpc-tls-cert-file and --grpc-client-ca-file change that"
		proxies = "connections to proxies are not encrypted: who is between may read and change what is sent; --proxy-tls changes that"
	)
	proxy := func(host string, more ...string) []string {
		return append([]string{"proxy", "--grpc-listen-addr", host + ":0", "--http-listen-addr", host + ":0"}, more...)
	}
	agent := func(host, proxyAddr string, more ...string) []string {
		return append(agentArgs(proxyAddr, "n1", "data", "http://127.0.0.1:1/metrics", "--prometheus-listen-addr", host+":0"), more...)
	}
	standalone := func(grpc, http, own string) []string {
		return []string{"standalone", "--grpc-listen-addr", grpc + ":0", "--http-listen-addr", http + ":0", "--prometheus-listen-addr", own + ":0", "--host-telemetry=false"}
	}
	const here = "127.0.0.1"
	for name, c := range map[string]struct {
		args    []string
		says    []string
		servers int // that are open
	}{
		"a proxy for all":                      {proxy(""), []string{agents, read}, 1},
		"a proxy for this machine":             {proxy(here), nil, 0},
		"a proxy that takes actions of all":    {proxy("", "--allow-remote-actions"), []string{agents, act}, 1},
		"an agent for all":                     {agent("", "192.0.2.1:17900"), []string{proxies, read}, 1},
		"an agent for this machine":            {agent(here, "127.0.0.1:1"), nil, 0},
		"an agent that takes actions of all":   {agent("", "localhost:1", "--allow-remote-actions"), []string{act}, 1},
		"a standalone process for all":         {standalone("", "", ""), []string{agents, read}, 2},
		"a standalone process for some":        {standalone(here, here, ""), []string{read}, 1},
		"a standalone process for its machine": {standalone(here, here, here), nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, c.args...)
			eventually(t, "the start", func() error {
				if len(p.said("listening"))+len(p.said("recording")) == 0 {
					return errors.New("it does not listen")
				}
				return nil
			})
			p.kill(syscall.SIGTERM)
			code, _ := p.exitCode(patience)
			require.Zero(t, code)
			for _, text := range []string{read, act, agents, proxies} {
				if !slices.Contains(c.says, text) {
					require.Empty(t, p.said(text))
					continue
				}
				require.Len(t, p.said(text), 1, text)
				if text == read || text == act {
					require.Len(t, p.said(text)[0]["http"], c.servers)
				}
			}
		})
	}
}
