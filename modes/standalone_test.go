package modes

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGreeting(t *testing.T) {
	f := func(want string, bound net.Addr, more ...string) {
		t.Helper()
		o := run(t, nil, nil, append([]string{"standalone"}, more...)...)
		require.Equal(t, want, o.config.(StandaloneConfig).greeting("http", bound))
	}
	everywhere := &net.TCPAddr{IP: net.IPv6unspecified, Port: 17901}
	f("open http://localhost:17901/ in a browser to see this machine; a database node is recorded as soon as it shows its metrics "+
		"at http://127.0.0.1:2121/metrics (--metrics-endpoint names another place)", everywhere)
	f("open http://localhost:17901/ in a browser to see this machine and its node", everywhere, "--metrics-endpoint", "http://h/m")
	f("open http://localhost:17901/ in a browser to see this machine and its node", everywhere, "--node-process", "banyand")
	f("open http://localhost:17901/ in a browser to see what is recorded", everywhere, "--host-telemetry=false")
	f("open http://192.0.2.1:1/ in a browser to see what is recorded", &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1}, "--host-telemetry=false")
	f("open http://[::1]:1/ in a browser to see what is recorded", &net.TCPAddr{IP: net.IPv6loopback, Port: 1}, "--host-telemetry=false")
}
