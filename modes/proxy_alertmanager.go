package modes

import (
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"

	"fodc/actors/proxy"
)

// maxAlertmanagers bounds how many are told about incidents.
const maxAlertmanagers = 8

// alertmanagerOptions are the flags of those who are told about incidents.
func alertmanagerOptions(c *ProxyConfig) []*option {
	return []*option{listOption(&c.AlertmanagerURLs, "alertmanager-url",
		"`URL` of an Alertmanager that is told about incidents, without /api/v2/alerts; may be given several times"),
		textOption(&c.AlertmanagerConfigFile, alertmanagerConfigFlag, "",
			"`FILE` that says how --alertmanager-url is asked: an HTTPClientConfig of Prometheus (basic_auth, authorization, oauth2, tls_config...); read again when it changes")}
}

// checkAlertmanagers accepts URLs with a user and a path if need be.
func checkAlertmanagers(texts []string) error {
	const flag = "alertmanager-url"
	if len(texts) > maxAlertmanagers {
		return invalid(flag, strconv.Itoa(len(texts)), "at most %d are allowed", maxAlertmanagers)
	}
	seen := map[string]bool{}
	for _, text := range texts {
		if err := checkProxyURL(flag, text); err != nil {
			return err
		}
		u, err := url.Parse(text)
		if err != nil {
			return invalid(flag, text, "must be a URL")
		}
		u.User = nil
		if key := strings.TrimRight(u.String(), "/"); seen[key] {
			return invalid(flag, text, "is given twice")
		} else {
			seen[key] = true
		}
	}
	return nil
}

func (c ProxyConfig) checkAlertmanagerConfig() error {
	if c.AlertmanagerConfigFile != "" && len(c.AlertmanagerURLs) == 0 {
		return invalid(alertmanagerConfigFlag, c.AlertmanagerConfigFile, "must be given with --alertmanager-url")
	}
	return checkSettingsFile(alertmanagerConfigFlag, c.AlertmanagerConfigFile)
}

// alertmanager returns who is told about incidents. bound is the address of the HTTP server.
func (c ProxyConfig) alertmanager(bound net.Addr) proxy.AlertmanagerConfig {
	cfg := proxy.AlertmanagerConfig{Pages: "http://" + reachable(bound)}
	if u := c.externalURL(); u != nil {
		cfg.Pages = u.String()
	}
	for _, text := range c.AlertmanagerURLs {
		if u, err := url.Parse(text); err == nil { // Validate has parsed it.
			cfg.URLs = append(cfg.URLs, u)
		}
	}
	return cfg
}

// reachable returns the address of a server as others on the network may have it: with the name of this host.
func reachable(bound net.Addr) string {
	addr, isTCP := bound.(*net.TCPAddr)
	if !isTCP || !addr.IP.IsUnspecified() {
		return bound.String()
	}
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "localhost"
	}
	return net.JoinHostPort(host, strconv.Itoa(addr.Port))
}
