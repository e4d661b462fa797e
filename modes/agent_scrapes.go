package modes

import (
	"sync/atomic"
	"time"

	"fodc/actors/agent"
	"fodc/modes/files"
	"fodc/modes/scrapeconfig"
)

// scrapeConfigOption is the file that says how endpoints are scraped.
func scrapeConfigOption(c *AgentConfig) *option {
	return textOption(&c.ScrapeConfigFile, scrapeConfigFlag, "",
		"`FILE` that says how endpoints are scraped, by the names of Prometheus: basic_auth, authorization, oauth2, tls_config, proxy_url, sample_limit and others, for all or for each; read again when it changes")
}

// watchScrapeConfig returns the function that says how an endpoint is scraped, by the newest version of the file; nil
// without a file.
func (c AgentConfig) watchScrapeConfig(w *files.Watcher) (func(url string) *agent.EndpointSettings, error) {
	if c.ScrapeConfigFile == "" {
		return nil, nil
	}
	var now atomic.Pointer[scrapeconfig.Config]
	v, err := files.Watch(w, scrapeConfigFlag, func(r *files.Reader, _ time.Time) (files.Loaded[*scrapeconfig.Config], error) {
		made, certificates, err := scrapeconfig.Load(c.ScrapeConfigFile, c.urls(), r.Read)
		return files.Loaded[*scrapeconfig.Config]{Value: made, Certificates: files.Certificates(scrapeConfigFlag, certificates)}, err
	}, func(newer *scrapeconfig.Config) {
		if older := now.Swap(newer); older != nil {
			older.Close()
		}
	})
	if err != nil {
		return nil, err
	}
	now.CompareAndSwap(nil, v.Get())
	return func(url string) *agent.EndpointSettings { return v.Get().Settings(url) }, nil
}
