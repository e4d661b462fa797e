package modes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"fodc/modes/incidents"
)

// incidentsClient asks a proxy or an agent for incidents over HTTP.
type incidentsClient struct {
	base    *url.URL
	http    *http.Client
	timeout time.Duration
}

// maxIncidentAnswer bounds an answer, in bytes: lists and documents. A bundle has no bound.
const maxIncidentAnswer = 64 << 20

func newIncidentsClient(c IncidentsConfig) (*incidentsClient, error) {
	base, err := url.Parse(c.ProxyURL)
	if err != nil {
		return nil, fmt.Errorf("read --proxy-url: %w", err)
	}
	client, err := newHTTPClient(c.HTTPConfigFile)
	if err != nil {
		return nil, err
	}
	return &incidentsClient{base, client, c.Timeout}, nil
}

func (c *incidentsClient) name() string { return c.base.Redacted() }

func (c *incidentsClient) close() { c.http.CloseIdleConnections() }

// noAnswer is the cause of a wait that took too long.
func (c *incidentsClient) noAnswer() error {
	return fmt.Errorf("no answer within %s (--timeout)", c.timeout)
}

// ask sends a request, and returns the whole answer. body is JSON; nil: none.
func (c *incidentsClient) ask(ctx context.Context, method, path string, params url.Values, body []byte) (incidents.Answer, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, c.noAnswer())
	defer cancel()
	response, err := c.send(ctx, method, path, params, body)
	if err != nil {
		return incidents.Answer{}, err
	}
	defer response.Body.Close()
	a, err := readAnswer(response, maxIncidentAnswer)
	if err != nil {
		return a, c.explain(ctx, err)
	}
	return a, nil
}

// readAnswer reads the answer, which may have so many bytes.
func readAnswer(r *http.Response, most int64) (incidents.Answer, error) {
	a := incidents.Answer{Status: r.StatusCode, ContentType: r.Header.Get("Content-Type")}
	var err error
	a.Body, err = io.ReadAll(io.LimitReader(r.Body, most+1))
	switch {
	case err != nil:
		return a, fmt.Errorf("the answer ends after %d bytes: %w", len(a.Body), err)
	case int64(len(a.Body)) > most:
		return a, fmt.Errorf("the answer has more than %d bytes", most)
	}
	return a, nil
}

// send sends a request. The caller closes the body of the response.
func (c *incidentsClient) send(ctx context.Context, method, path string, params url.Values, body []byte) (*http.Response, error) {
	u := c.base.JoinPath(path)
	u.RawQuery = params.Encode()
	r, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", programName+"/"+thisBuild().version)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(r)
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	return response, nil
}

// explain names the server, and says what to do where it is not there.
func (c *incidentsClient) explain(ctx context.Context, err error) error {
	var failed *url.Error
	var dial *net.OpError
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case errors.As(err, &dial) && dial.Op == "dial":
		err = fmt.Errorf("%w: is a proxy or an agent running there? --proxy-url names another one", dial)
	case errors.As(err, &failed):
		err = failed.Err // without the URL, whose parameters are long
	}
	return fmt.Errorf("%s: %w", c.name(), err)
}
