package scrapeconfig

import (
	"crypto/x509"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"

	"fodc/actors/agent"
	"fodc/modes/httpconfig"
)

// Config is the settings of endpoints. It is not changed.
type Config struct {
	of  map[string]*agent.EndpointSettings
	how map[string]string
}

// Load reads a file of settings, and the files that it names, for the endpoints with the URLs. It returns the
// certificates, too. The error names the file and has no secret.
func Load(path string, endpoints []string, read httpconfig.ReadFile) (*Config, []*x509.Certificate, error) {
	content, err := read(path)
	if err != nil {
		return nil, nil, err
	}
	l := &loader{dir: filepath.Dir(path), read: read, made: &Config{map[string]*agent.EndpointSettings{}, map[string]string{}}}
	if err := l.load(content, endpoints); err != nil {
		l.made.Close()
		return nil, nil, fmt.Errorf("%q: %w", path, err)
	}
	return l.made, l.certificates, nil
}

// Settings returns those of the endpoint with the URL. It never blocks.
func (c *Config) Settings(endpoint string) *agent.EndpointSettings { return c.of[endpoint] }

// How says in words how the endpoint with the URL is asked, without secrets.
func (c *Config) How(endpoint string) string { return c.how[endpoint] }

// Close closes the connections that nobody uses.
func (c *Config) Close() {
	for _, s := range c.of {
		if t, ok := s.Transport.(interface{ CloseIdleConnections() }); ok {
			t.CloseIdleConnections()
		}
	}
}

type loader struct {
	dir          string
	read         httpconfig.ReadFile
	made         *Config
	certificates []*x509.Certificate
}

func (l *loader) load(content []byte, endpoints []string) error {
	var f file
	f.All.HTTP.FollowRedirects, f.All.HTTP.EnableHTTP2 = true, true // An empty file is one without settings.
	if err := httpconfig.Unmarshal(content, &f); err != nil {
		return err
	}
	listed := map[string]*settings{}
	for i := range f.Endpoints {
		e := &f.Endpoints[i]
		shown := agent.Target{URL: e.URL}.Name()
		switch {
		case !slices.Contains(endpoints, e.URL):
			return fmt.Errorf("the url %q is none of --metrics-endpoint", shown)
		case listed[e.URL] != nil:
			return fmt.Errorf("the url %q is there twice", shown)
		}
		listed[e.URL] = &e.Own
		if err := l.inline(&e.Own); err != nil {
			return err
		}
	}
	if err := l.inline(&f.All); err != nil {
		return err
	}
	for _, u := range endpoints {
		of := listed[u]
		if of == nil {
			of = &f.All
		}
		if err := l.make(u, *of); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) inline(s *settings) error {
	certificates, err := httpconfig.Inline(&s.HTTP, l.dir, l.read)
	for _, c := range certificates {
		if !slices.ContainsFunc(l.certificates, c.Equal) {
			l.certificates = append(l.certificates, c)
		}
	}
	return err
}

// make makes the settings of the endpoint with the URL.
func (l *loader) make(endpoint string, s settings) error {
	asked, err := s.urlOf(endpoint)
	if err != nil {
		return err
	}
	transport, err := httpconfig.NewTransport(s.HTTP, agent.NewTransport())
	if err != nil {
		return err
	}
	l.made.how[endpoint] = httpconfig.Describe(s.HTTP)
	l.made.of[endpoint] = &agent.EndpointSettings{URL: asked, Transport: transport, NoRedirects: !s.HTTP.FollowRedirects,
		HonorLabels: s.HonorLabels, SampleLimit: int(s.SampleLimit), LabelLimit: int(s.LabelLimit), BodyLimit: int64(s.BodySizeLimit)}
	return nil
}

// urlOf returns the URL to ask: with the scheme and the parameters.
func (s settings) urlOf(endpoint string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", err
	}
	if s.Scheme != "" {
		u.Scheme = s.Scheme
	}
	if len(s.Params) > 0 {
		q := u.Query()
		maps.Copy(q, s.Params)
		u.RawQuery = q.Encode()
	}
	return u.String(), nil
}
