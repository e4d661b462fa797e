package agent

import (
	"cmp"
	"net/http"
	"net/url"

	"fodc/recorder"
)

// EndpointSettings say how one endpoint is scraped. They are not changed after they were given to the agent.
type EndpointSettings struct {
	// URL is asked instead of that of the target; empty: it is not.
	URL string
	// Transport sends the requests, with what they need to be let in. It reads no files, and an error of it has no
	// secrets.
	Transport http.RoundTripper
	// NoRedirects: none are followed, not even those within the host.
	NoRedirects bool
	// HonorLabels: a container name that a sample has on the page stays.
	HonorLabels bool
	// SampleLimit, LabelLimit and BodyLimit are the settings sample_limit, label_limit and body_size_limit, beside
	// ScrapeLimits; 0: there is none. The smaller limit counts.
	SampleLimit, LabelLimit int
	BodyLimit               int64
}

// settingsFunc returns the settings of the endpoint with the URL, which are nil if it has none.
type settingsFunc func(url string) *EndpointSettings

func noSettings(string) *EndpointSettings { return nil }

func (c Config) settings() settingsFunc {
	if c.Settings == nil {
		return noSettings
	}
	return c.Settings
}

// NewTransport returns a transport with the limits of scrapes. It uses no proxy of the environment, and does not
// decompress answers.
func NewTransport() *http.Transport {
	return &http.Transport{
		DialContext:            newDialer().DialContext,
		MaxResponseHeaderBytes: maxPageHeaderBytes,
		MaxIdleConnsPerHost:    1,
		IdleConnTimeout:        idleConnection,
		ReadBufferSize:         readBytes,
		DisableCompression:     true,
	}
}

// client returns the client for an endpoint with the settings; without, the plain one.
func (s *EndpointSettings) client(plain *http.Client) *http.Client {
	if s == nil {
		return plain
	}
	c := &http.Client{Transport: redirectTransport{s.Transport}, CheckRedirect: checkRedirect}
	if s.NoRedirects {
		c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return c
}

// urlOf returns the URL to ask for a target's.
func (s *EndpointSettings) urlOf(target string) string {
	if s == nil {
		return target
	}
	return cmp.Or(s.URL, target)
}

// bodyLimit is how many bytes a page may have, and the setting that says so.
type bodyLimit struct {
	bytes   int64
	setting string
}

func (s *EndpointSettings) bodyLimit(most int64) bodyLimit {
	if s != nil && s.BodyLimit > 0 && s.BodyLimit < most {
		return bodyLimit{s.BodyLimit, "body_size_limit"}
	}
	return bodyLimit{most, "--max-page-bytes"}
}

// pageLimits completes the limits of a page.
func (s *EndpointSettings) pageLimits(l recorder.ParseLimits) recorder.ParseLimits {
	if s != nil {
		l.SampleLimit, l.LabelLimit = s.SampleLimit, s.LabelLimit
	}
	return l
}

func (s *EndpointSettings) honorsLabels() bool { return s != nil && s.HonorLabels }

// byServer returns the settings for other pages of the servers of the targets: those of the first target there. The
// page's own URL is asked, by the scheme of the target's.
func (f settingsFunc) byServer(targets []Target) settingsFunc {
	return func(page string) *EndpointSettings {
		u, err := url.Parse(page)
		if err != nil {
			return nil
		}
		for _, t := range targets {
			of, err := url.Parse(t.URL)
			if s := f(t.URL); s != nil && err == nil && sameHost(of, u) {
				own := *s
				if asked, err := url.Parse(s.urlOf(t.URL)); err == nil {
					u.Scheme = asked.Scheme
				}
				own.URL, own.BodyLimit = u.String(), 0
				return &own
			}
		}
		return nil
	}
}
