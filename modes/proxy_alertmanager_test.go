package modes

import (
	"net"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhereAlertsLeadTo(t *testing.T) {
	host, err := os.Hostname()
	require.NoError(t, err)
	f := func(want, external string, bound net.Addr) {
		t.Helper()
		c := ProxyConfig{ExternalURL: external, AlertmanagerURLs: []string{"http://u:p@a:9093/am/"}}
		cfg := c.alertmanager(bound)
		require.Equal(t, want, cfg.Pages)
		require.Equal(t, "http://u:p@a:9093/am/", cfg.URLs[0].String())
	}
	f("http://"+host+":17901", "", &net.TCPAddr{IP: net.IPv6unspecified, Port: 17901})
	f("http://127.0.0.1:17901", "", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 17901})
	f("https://obs.example/fodc", "https://obs.example/fodc/", &net.TCPAddr{Port: 1})
}

func TestWrongAlertmanagers(t *testing.T) {
	f := func(words string, urls ...string) {
		t.Helper()
		args := []string{"proxy"}
		for _, u := range urls {
			args = append(args, "--alertmanager-url", u)
		}
		wrong(t, run(t, nil, nil, args...), "--alertmanager-url", words)
	}
	f("is given twice", "http://a:9093", "http://b", "http://u:p@a:9093/")
	f("at most 8 are allowed", "http://a:1", "http://a:2", "http://a:3", "http://a:4", "http://a:5", "http://a:6", "http://a:7", "http://a:8", "http://a:9")
	f(`"ftp://u:***@h": must be http://HOST`, "ftp://u:hunter2@h")
	f(`"http://a/?x=1": must be http://HOST`, "http://a/?x=1")
}
