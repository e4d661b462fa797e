package webconfig

import (
	"crypto/tls"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"time"

	"fodc/httpapi/access"
	"fodc/modes/files"

	"github.com/prometheus/exporter-toolkit/web"
	"go.yaml.in/yaml/v2"
	"golang.org/x/time/rate"
)

// Flag is the flag that names the file, without dashes.
const Flag = "web-config-file"

// Config is what a version of the file says. It does not change.
type Config struct {
	Access *access.Settings
	// TLS is nil for plain HTTP.
	TLS *tls.Config
}

// Loader loads the file of a path. One goroutine at a time may use it.
type Loader struct {
	path string
	// tokens: there are tokens, too, so that requests without credentials are refused whatever the file says.
	tokens bool
	before *Config // nil: nothing was loaded yet
	limit  web.RateLimiterConfig
}

// NewLoader returns a loader. tokens says that there are tokens beside the file.
func NewLoader(path string, tokens bool) *Loader { return &Loader{path: path, tokens: tokens} }

// Load is a files.Load. It refuses a version that a running program cannot take, or that would let in everybody.
func (l *Loader) Load(r *files.Reader, now time.Time) (files.Loaded[*Config], error) {
	loaded, limit, err := l.load(r, now)
	if err == nil {
		err = l.checkChange(loaded.Value)
	}
	if err != nil {
		return files.Loaded[*Config]{}, fmt.Errorf("%q: %w", l.path, err)
	}
	l.before, l.limit = loaded.Value, limit
	return loaded, nil
}

func (l *Loader) load(r *files.Reader, now time.Time) (loaded files.Loaded[*Config], limit web.RateLimiterConfig, err error) {
	content, err := r.Read(l.path)
	if err != nil {
		return loaded, limit, err
	}
	c, err := parse(content)
	if err != nil {
		return loaded, limit, err
	}
	c.TLSConfig.SetDirectory(filepath.Dir(l.path))
	users, err := usersOf(c)
	if err != nil {
		return loaded, limit, err
	}
	settings := &access.Settings{Users: users, Headers: c.HTTPConfig.Header, Limiter: l.limiter(c.RateLimiterConfig)}
	loaded.Value = &Config{Access: settings}
	if c.TLSConfig.IsEnabled() {
		made, err := makeTLS(c, r, now)
		if err != nil {
			return loaded, limit, fmt.Errorf("tls_server_config: %w", err)
		}
		loaded.Value.TLS, loaded.Certificates = made.config, made.certificates
		settings.VerifyClient, settings.CertificateRequired = made.verifyClient, made.certificateRequired
	}
	return loaded, c.RateLimiterConfig, nil
}

// limiter goes on with the limiter before, unless its settings have changed.
func (l *Loader) limiter(c web.RateLimiterConfig) *rate.Limiter {
	switch {
	case c.Interval == 0:
		return nil
	case l.before != nil && l.before.Access.Limiter != nil && l.limit == c:
		return l.before.Access.Limiter
	}
	return rate.NewLimiter(rate.Every(c.Interval), c.Burst)
}

// checkChange refuses what cannot change while the server runs, and what is more likely a file that is about to be
// written than the wish to let in everybody.
func (l *Loader) checkChange(to *Config) error {
	switch from := l.before; {
	case from == nil:
	case from.TLS == nil && to.TLS != nil:
		return errors.New("tls_server_config: the server runs without TLS; restart it to use TLS")
	case from.TLS != nil && to.TLS == nil:
		return errors.New("tls_server_config: it is missing, but the server runs with TLS; restart it to do without")
	case from.Access.Asks() && !to.Access.Asks() && !l.tokens:
		return errors.New("it has neither users nor client certificates that are required, but the server asks for them; restart it to let in everybody")
	}
	return nil
}

// quoted are the texts of a file that errors of YAML quote. They may be secrets.
var quoted = regexp.MustCompile("(?s) ?`.*?`")

// parse reads the file as the toolkit does.
func parse(content []byte) (*web.Config, error) {
	c := &web.Config{
		TLSConfig:  web.TLSConfig{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS13},
		HTTPConfig: web.HTTPConfig{HTTP2: true},
	}
	if err := yaml.UnmarshalStrict(content, c); err != nil {
		return nil, errors.New(quoted.ReplaceAllString(err.Error(), ""))
	}
	return c, checkRules(c)
}
