package modes

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"fodc/modes/files"
	"fodc/modes/logsink"
	"fodc/modes/webconfig"
)

// HealthcheckConfig is what fodc healthcheck is asked for.
type HealthcheckConfig struct {
	// ListenAddrs are the addresses of the HTTP servers of the program, as they are configured.
	ListenAddrs []string
	// Web is who may ask them: it says whether there is TLS.
	Web WebConfig
	// Timeout bounds all of it. Default 3 s.
	Timeout time.Duration
}

// maxReadyAnswer bounds what is read of an answer, in bytes.
const maxReadyAnswer = 4 << 10

// RunHealthcheck asks each server whether it is ready, and returns why one is not.
func RunHealthcheck(ctx context.Context, c HealthcheckConfig, stdout, _ io.Writer) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.Timeout, fmt.Errorf("no answer within %s (--timeout)", c.Timeout))
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- c.askAll(ctx, stdout) }() // A file may hang.
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (c HealthcheckConfig) askAll(ctx context.Context, stdout io.Writer) error {
	client := &http.Client{
		Transport: &http.Transport{
			DisableKeepAlives: true,
			// The server is on this machine, is told nothing, and is only asked whether it is ready.
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	scheme, err := c.scheme()
	if err != nil {
		return err
	}
	for _, addr := range c.ListenAddrs {
		u := url.URL{Scheme: scheme, Host: localAddr(addr), Path: "/-/ready"}
		if err := askReady(ctx, client, u.String()); err != nil {
			return fmt.Errorf("%s: %w", u.String(), err)
		}
		if _, err := fmt.Fprintln(stdout, u.String()+": ready"); err != nil {
			return err
		}
	}
	return nil
}

// scheme is that of the servers.
func (c HealthcheckConfig) scheme() (string, error) {
	if c.Web.File == "" {
		return "http", nil
	}
	loaded, err := files.Once(webconfig.NewLoader(c.Web.File, c.Web.TokenFile != "").Load, time.Now())
	switch {
	case err != nil:
		return "", fmt.Errorf("--%s: %w", webconfig.Flag, err)
	case loaded.Value.TLS != nil:
		return "https", nil
	}
	return "http", nil
}

// localAddr is where this machine reaches a server that listens at the address.
func localAddr(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "" || err == nil && ip.IsUnspecified() && ip.Is4():
		host = "127.0.0.1"
	case err == nil && ip.IsUnspecified():
		host = "::1"
	}
	return net.JoinHostPort(host, port)
}

func askReady(ctx context.Context, client *http.Client, target string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		return err
	}
	r.Header.Set("User-Agent", programName+"/"+thisBuild().version)
	response, err := client.Do(r)
	if err != nil {
		var of *url.Error
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.As(err, &of):
			return of.Err
		}
		return err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusOK {
		return nil
	}
	text, _ := io.ReadAll(io.LimitReader(response.Body, maxReadyAnswer))
	return fmt.Errorf("not ready: %s: %s", response.Status, shorten(logsink.Printable(string(text))))
}
