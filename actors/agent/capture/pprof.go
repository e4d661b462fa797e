package capture

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"fodc/messages"
)

const (
	// pprofPort is where BanyanDB shows its profiles, unless told otherwise.
	pprofPort = "6060"
	// probeTimeout bounds the try whether something answers there.
	probeTimeout = time.Second
	// maxStacksBytes bounds what is kept of the text of the goroutines, maxStacksRead what is taken from the node.
	maxStacksBytes = 8 << 20
	maxStacksRead  = 16 << 20
	// maxStacksInFull is how many goroutines a node may have to be asked for each stack: it stands still meanwhile.
	maxStacksInFull = 10_000
	cpuSeconds      = 5
)

// pprofServer is the server that has the node's profiles. A node that did not answer in time once is not
// asked for further ones.
type pprofServer struct {
	cfg    *Config
	client *Client

	mu     sync.Mutex // held by one step at a time
	url    string     // empty: not known yet
	found  bool       // somebody listens there
	reason error      // a profilesError: why it is not asked any more
}

// profilesError is why the node is not asked for any further profile: it is said once of all.
type profilesError struct{ err error }

func (e profilesError) Error() string { return e.err.Error() }
func (e profilesError) Unwrap() error { return e.err }

func (c *Config) profileSteps() []Step {
	if c.Profiles == NoProfiles {
		return nil
	}
	s := &pprofServer{cfg: c, client: c.client, url: strings.TrimSuffix(c.Endpoint, "/")}
	if s.client == nil {
		s.client = NewClient()
	}
	steps := []Step{s.step(Heap(), true), s.step(Goroutine(), false)}
	if c.Profiles == ContextProfiles {
		return steps
	}
	stacks, mutex, block := s.stacks(), s.step(pprofOf("mutex"), false), s.step(pprofOf("block"), false)
	// What the text says beside the profile, who waits for how long, it says later, too: and the node is not stopped for it now.
	stacks.Stays = true
	mutex.Stays, block.Stays = true, true // They count since the node's start.
	return append(steps, stacks, mutex, block, s.step(cpuProfile(), true))
}

func cpuProfile() Profile {
	p := pprofOf("cpu")
	p.Path = fmt.Sprintf("/debug/pprof/profile?seconds=%d", cpuSeconds)
	p.Limits.Time += cpuSeconds * time.Second
	return p
}

// step returns the step of a profile. An expensive one is not asked of a slow node.
func (s *pprofServer) step(p Profile, expensive bool) Step {
	return Step{What: messages.EvidenceProfile + "/" + p.Type, Path: "profiles/" + p.Type + ".pb.gz",
		Limit: p.Limits.Bytes, Timeout: p.Limits.Time + 2*probeTimeout, Heavy: true,
		Ready: func(ctx context.Context) error {
			if expensive {
				if err := s.cfg.tooSlow(); err != nil {
					return err
				}
			}
			return s.ready(ctx)
		},
		Run: func(ctx context.Context, w io.Writer) error { return s.get(ctx, p, w) }}
}

// stacks returns the step of the goroutines as text: each of them where there are few, else counted by stack.
func (s *pprofServer) stacks() Step {
	p := Profile{Type: "goroutine", Path: "/debug/pprof/goroutine?debug=1", Content: Text, Limits: Limits{Bytes: maxStacksRead, Time: profileTimeout}}
	return Step{What: messages.EvidenceProfile + "/goroutine", Path: "profiles/goroutine.txt", Limit: maxStacksBytes, Timeout: p.Limits.Time + 2*probeTimeout,
		Heavy: true, Parts: true, Ready: s.ready, Run: func(ctx context.Context, w io.Writer) error {
			if s.cfg.Goroutines != nil && s.cfg.tooSlow() == nil {
				if n := s.cfg.Goroutines(); n > 0 && n <= maxStacksInFull {
					p.Path = "/debug/pprof/goroutine?debug=2"
				}
			}
			return s.get(ctx, p, w)
		}}
}

// tooSlow returns why the node is not asked for what is expensive.
func (c *Config) tooSlow() error {
	if c.ScrapeTime == nil {
		return nil
	}
	took, timeout := c.ScrapeTime()
	if timeout <= 0 || took <= timeout/2 {
		return nil
	}
	return fmt.Errorf("the node was not asked: its last scrape took %s, over half of its timeout of %s", took.Round(time.Millisecond), timeout)
}

// ready returns why the node is not asked. The first time it looks whether there is anybody to ask: that a node shows no profiles is
// said once, and not that it was asked for each.
func (s *pprofServer) ready(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.found || s.reason != nil {
		return s.reason
	}
	if s.url == "" {
		s.url, s.reason = s.cfg.probe(ctx)
	} else if err := s.client.connect(ctx, s.url); err != nil {
		s.reason = s.unreached(err)
	}
	s.found = s.reason == nil
	return s.reason
}

func (s *pprofServer) unreached(err error) error {
	return profilesError{fmt.Errorf("nothing answers at %s (--pprof-endpoint): %w", shown(s.url), err)}
}

// get writes a profile.
func (s *pprofServer) get(ctx context.Context, p Profile, w io.Writer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.write(ctx, p, w)
	var silent *SilentError
	var unreached dialError
	var none notFoundError
	switch {
	case errors.As(err, &unreached):
		s.reason = s.unreached(unreached)
		return s.reason
	case errors.As(err, &none) && p.Type == heapType: // Whoever has any profiles has that.
		s.reason = profilesError{fmt.Errorf("the node shows no profiles at %s (--pprof-endpoint): %w", shown(s.url), none)}
		return s.reason
	case errors.As(err, &silent):
		s.reason = profilesError{fmt.Errorf("the node was not asked for more: %s did not answer a request for %s within %s", shown(s.url), p.Type, p.Limits.Time)}
	}
	return err
}

// write writes a profile as it is, and a text line by line, without secrets: the labels of a goroutine may have some.
func (s *pprofServer) write(ctx context.Context, p Profile, w io.Writer) error {
	if p.Content.name != Text.name {
		_, err := s.client.Get(ctx, s.url+p.Path, p.Content, p.Limits, w)
		return err
	}
	lines := newLineWriter(w)
	_, err := s.client.Get(ctx, s.url+p.Path, p.Content, p.Limits, lines)
	return lines.close(err)
}

// probe returns the URL of port 6060 of the first host at which something answers there.
func (c *Config) probe(ctx context.Context) (string, error) {
	var failed error
	tried := map[string]bool{}
	for _, m := range c.Metrics {
		u, err := url.Parse(m)
		if err != nil || u.Hostname() == "" || tried[u.Hostname()] {
			continue
		}
		tried[u.Hostname()] = true
		address := net.JoinHostPort(u.Hostname(), pprofPort)
		if err = answers(ctx, address); err == nil {
			return "http://" + address, nil
		}
		failed = cmp.Or(failed, err)
		if ctx.Err() != nil {
			break
		}
	}
	return "", profilesError{cmp.Or(failed, errors.New("it is not known where the node shows its profiles (--pprof-endpoint)"))}
}

// answers returns an error unless somebody listens at an address.
func answers(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("nothing answers at %s (--pprof-endpoint): %w", address, withoutURL(err))
	}
	return conn.Close()
}
