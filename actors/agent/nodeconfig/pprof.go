package nodeconfig

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
)

const (
	// pprofPort is BanyanDB's default port for profiles.
	pprofPort = "6060"
	pprofPath = "/debug/pprof/cmdline"
	// pprofTimeout bounds one request.
	pprofTimeout = time.Second
	// pprofCacheTTL is how long an answer is used, pprofRetry when to ask again after an
	// error.
	pprofCacheTTL = time.Minute
	pprofRetry    = 10 * time.Second
	// MaxCommandLineBytes bounds an answer, maxPprofURLs the number of URLs.
	MaxCommandLineBytes = 128 << 10
	maxPprofURLs        = 4
)

// pprof gets the command line from the node's pprof endpoint, for when its process cannot
// be seen.
type pprof struct {
	urls    []string
	process string // the name that the program must have; empty: any
	fetch   func(ctx context.Context, url string) (body []byte, contentType string, err error)

	asked time.Time
	found *params
	from  string
	err   error
}

func newPprof(c Config) *pprof {
	p := &pprof{process: c.Process, fetch: c.Fetch}
	for _, e := range c.Endpoints {
		for _, u := range pprofURLs(e) {
			if !slices.Contains(p.urls, u) && len(p.urls) < maxPprofURLs {
				p.urls = append(p.urls, u)
			}
		}
	}
	return p
}

// pprofURLs returns the URLs at which the node of an endpoint may have its profiles.
func pprofURLs(endpoint string) []string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return nil
	}
	own := url.URL{Scheme: u.Scheme, Host: u.Host, Path: pprofPath}
	usual := url.URL{Scheme: "http", Host: net.JoinHostPort(u.Hostname(), pprofPort), Path: pprofPath}
	return []string{own.String(), usual.String()}
}

// read returns the command line and its URL. It asks only when the cached answer has
// expired.
func (p *pprof) read(ctx context.Context, now time.Time) (*params, string, error) {
	fresh := pprofCacheTTL
	if p.err != nil {
		fresh = pprofRetry
	}
	if !p.asked.IsZero() && now.Sub(p.asked) < fresh {
		return p.found, p.from, p.err
	}
	p.asked, p.found, p.err = now, nil, errors.New("no endpoint to ask")
	for i, u := range p.urls {
		found, err := p.ask(ctx, u)
		if err == nil {
			p.found, p.from, p.err = found, u, nil
			break
		}
		if i == 0 {
			p.err = fmt.Errorf("%s: %w", u, err)
		}
	}
	return p.found, p.from, p.err
}

func (p *pprof) ask(ctx context.Context, u string) (*params, error) {
	ctx, cancel := context.WithTimeout(ctx, pprofTimeout)
	defer cancel()
	body, _, err := p.fetch(ctx, u)
	if err != nil {
		return nil, err
	}
	return parsePprof(string(body), p.process)
}

// parsePprof parses arguments that are separated by NUL bytes. Another server may answer
// with some page: it is rejected if the first argument has several lines or markup.
func parsePprof(body, process string) (*params, error) {
	body = strings.TrimRight(body, "\x00")
	args := strings.Split(body, "\x00")
	switch name := args[0]; {
	case len(body) > MaxCommandLineBytes:
		return nil, fmt.Errorf("a command line of %d bytes, at most %d are allowed", len(body), MaxCommandLineBytes)
	case name == "" || strings.ContainsAny(name, "\r\n<"):
		return nil, errors.New("the answer is no command line")
	case process != "" && path.Base(name) != process:
		return nil, fmt.Errorf("the answer is that of another program than %s", process)
	}
	return parseCommandLine(args), nil
}
