package access

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"fodc/messages"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Limits of the lines that the log has of refused requests.
const (
	logInterval = 10 * time.Second
	logLines    = 10
)

// Config is what a Gate must know. The zero value lets everybody in who asks this machine by one of its own names.
type Config struct {
	// Settings returns the newest ones; nil: there are none.
	Settings func() *Settings
	// FindToken returns whose token it is, and its role; nil: there are no tokens.
	FindToken func(token string) (name, role string, ok bool)
	// Operators are the users, and names in certificates, that may change something; none: all may.
	Operators []string
	// Hosts are names of this machine.
	Hosts []string
	// ExternalURLs are where people reach the servers.
	ExternalURLs []*url.URL
	// Log may be nil.
	Log *zap.Logger
}

// Gate decides for each request whether it is answered. Its methods may be called from anywhere.
type Gate struct {
	settings    func() *Settings
	findToken   func(token string) (name, role string, ok bool)
	operators   map[string]bool
	hosts       []string
	log         *zap.Logger
	crossOrigin *http.CrossOriginProtection
	passwords   *passwords
	refusals    counts
}

// New returns a gate.
func New(cfg Config) *Gate {
	g := &Gate{settings: cfg.Settings, findToken: cfg.FindToken, operators: map[string]bool{}, log: cfg.Log,
		crossOrigin: http.NewCrossOriginProtection(), passwords: newPasswords()}
	if g.settings == nil {
		g.settings = func() *Settings { return &Settings{} }
	}
	if g.log == nil {
		g.log = zap.NewNop()
	}
	g.log = g.log.WithOptions(zap.WrapCore(func(c zapcore.Core) zapcore.Core {
		return zapcore.NewSamplerWithOptions(c, logInterval, logLines, 0)
	}))
	for _, name := range cfg.Operators {
		g.operators[name] = true
	}
	for _, u := range cfg.ExternalURLs {
		cfg.Hosts = append(cfg.Hosts, u.Hostname())
		_ = g.crossOrigin.AddTrustedOrigin(originOf(u)) // Of a URL that was checked.
	}
	for _, host := range cfg.Hosts {
		g.hosts = append(g.hosts, strings.ToLower(strings.TrimSuffix(host, ".")))
	}
	return g
}

// originOf returns the origin that browsers send for pages of the URL: in small letters, and without the port that the scheme has anyway.
func originOf(u *url.URL) string {
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	if port := u.Port(); scheme == "http" && port == "80" || scheme == "https" && port == "443" {
		host = strings.TrimSuffix(host, ":"+port)
	}
	return scheme + "://" + strings.TrimSuffix(host, ":")
}

// Request is what a route is.
type Request struct {
	// Open: everybody may ask it.
	Open bool
	// Changes: it changes something.
	Changes bool
	// Route is how the log names what was asked for: somebody may have pasted a token into the path.
	Route string
}

// Asks reports whether the settings want to know who makes a request.
func (g *Gate) Asks() bool { return g.asks(g.settings()) }

func (g *Gate) asks(s *Settings) bool {
	return g.findToken != nil || s.Asks()
}

// Asks reports whether the settings alone want to know who makes a request.
func (s *Settings) Asks() bool { return len(s.Users) > 0 || s.CertificateRequired }

// Headers are on each response. They must not be changed.
func (g *Gate) Headers() map[string]string { return g.settings().Headers }

// Refusals returns how many requests were refused, by reason.
func (g *Gate) Refusals() map[Reason]uint64 { return g.refusals.all() }

// Check decides about a request. It returns the request, which knows who has made it if that is asked, or a *Refusal.
// It may wait for a password to be compared.
func (g *Gate) Check(r *http.Request, of Request) (*http.Request, error) {
	checked, refusal := g.check(r, of)
	if refusal == nil {
		return checked, nil
	}
	g.refusals.add(refusal.Reason)
	level := zapcore.WarnLevel
	if refusal.Reason == NoCredentials {
		level = zapcore.DebugLevel // Each browser asks without them first.
	}
	g.log.Log(level, "a request was refused", zap.String("reason", string(refusal.Reason)), zap.String("user", refusal.User), zap.String("method", bounded(r.Method)),
		zap.String("route", of.Route), zap.String("client", r.RemoteAddr), zap.Error(refusal))
	return nil, refusal
}

func (g *Gate) check(r *http.Request, of Request) (*http.Request, *Refusal) {
	s := g.settings()
	if of.Open {
		return r, nil
	}
	if s.Limiter != nil && !s.Limiter.Allow() {
		return nil, later(RateLimit, "there are more requests than rate_limit of --web-config-file allows: try again later")
	}
	if of.Changes {
		if err := g.crossOrigin.Check(r); err != nil {
			return nil, refused(OtherSite, messages.ErrForbidden, "a web page of another site has made this request")
		}
	}
	if !g.asks(s) {
		return r, g.checkHost(r)
	}
	who, refusal := g.identify(s, r)
	if refusal != nil {
		return nil, refusal
	}
	if of.Changes && !who.Operate {
		refusal := refused(OnlyReads, messages.ErrForbidden, "%q may only read: who changes something needs a token of the role operate, or to be one of --http-operator", who.Name)
		refusal.User = who.Name
		return nil, refusal
	}
	return With(r, who), nil
}
