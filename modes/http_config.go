package modes

import (
	"fmt"
	"net/http"
	"os"
	"time"

	"fodc/modes/files"
	"fodc/modes/httpconfig"
)

const (
	// settingsFileAllowed is what the flag of a file of settings may have.
	settingsFileAllowed = "must be the path of a file, one line of at most 4096 bytes, in UTF-8"

	httpConfigFlag         = "http-config-file"
	alertmanagerConfigFlag = "alertmanager-config-file"
	scrapeConfigFlag       = "scrape-config-file"
)

func checkSettingsFile(flag, path string) error {
	if !isText(path) {
		return invalid(flag, path, settingsFileAllowed)
	}
	return nil
}

// httpConfigOption is the file that says how a command of the terminal asks.
func httpConfigOption(dst *string) *option {
	return textOption(dst, httpConfigFlag, "", "`FILE` that says how to ask: an HTTPClientConfig of Prometheus (basic_auth, authorization, oauth2, tls_config...)")
}

// newHTTPClient returns the client of a command of the terminal; file is its --http-config-file, which may be empty.
func newHTTPClient(file string) (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if file == "" {
		return &http.Client{Transport: transport}, nil
	}
	c, _, err := httpconfig.Load(file, os.ReadFile)
	if err == nil {
		var client *http.Client
		if client, err = httpconfig.NewClient(c, transport); err == nil {
			return client, nil
		}
	}
	return nil, fmt.Errorf("--%s: %w", httpConfigFlag, err)
}

// watchAlertmanagerClient returns a function that returns the client for Alertmanagers, by the newest version of the
// file; nil without a file.
func (c ProxyConfig) watchAlertmanagerClient(w *files.Watcher) (func() *http.Client, error) {
	path := c.AlertmanagerConfigFile
	if path == "" {
		return nil, nil
	}
	v, err := files.Watch(w, alertmanagerConfigFlag, func(r *files.Reader, _ time.Time) (l files.Loaded[*http.Client], err error) {
		c, certificates, err := httpconfig.Load(path, r.Read)
		if err != nil {
			return l, err
		}
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.DisableKeepAlives = true // There is one request a minute.
		l.Value, err = httpconfig.NewClient(c, transport)
		l.Certificates = files.Certificates(alertmanagerConfigFlag, certificates)
		return l, err
	}, nil)
	if err != nil {
		return nil, err
	}
	return v.Get, nil
}
