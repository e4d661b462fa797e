package modes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"fodc/modes/query"
)

// queryClient asks a proxy or an agent over HTTP.
type queryClient struct {
	base *url.URL
	http *http.Client
	// maxBytes is maxAnswerBytes, or less in tests.
	maxBytes int64
}

const (
	// maxAnswerBytes bounds an answer: more than the API gives for 11,000 steps of 500 series.
	maxAnswerBytes = 256 << 20
	// maxURLQuery is how long the parameters in a URL may be. Longer ones are posted.
	maxURLQuery = 2 << 10
)

func newQueryClient(c QueryCommandConfig) (*queryClient, error) {
	base, err := url.Parse(c.ProxyURL)
	if err != nil {
		return nil, fmt.Errorf("read --proxy-url: %w", err)
	}
	client, err := newHTTPClient(c.HTTPConfigFile)
	if err != nil {
		return nil, err
	}
	return &queryClient{base, client, maxAnswerBytes}, nil
}

// now is left to the server: its clock is that of the samples.
func (c *queryClient) now(context.Context) (time.Time, error) { return time.Time{}, nil }

func (c *queryClient) name() string { return c.base.Redacted() }

func (c *queryClient) close() { c.http.CloseIdleConnections() }

func (c *queryClient) ask(ctx context.Context, path string, params url.Values) (query.Answer, error) {
	a, err := c.fetch(ctx, path, params)
	if err == nil {
		return a, nil
	}
	var failed *url.Error
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case errors.As(err, &failed):
		err = failed.Err // without the URL, whose parameters are long
	}
	return a, fmt.Errorf("%s: %w", c.name(), err)
}

func (c *queryClient) fetch(ctx context.Context, path string, params url.Values) (a query.Answer, err error) {
	r, err := c.request(ctx, path, params.Encode())
	if err != nil {
		return a, err
	}
	r.Header.Set("User-Agent", programName+"/"+thisBuild().version)
	response, err := c.http.Do(r)
	if err != nil {
		return a, err
	}
	defer response.Body.Close()
	a.Status, a.ContentType = response.StatusCode, response.Header.Get("Content-Type")
	a.Body, err = io.ReadAll(io.LimitReader(response.Body, c.maxBytes+1))
	switch {
	case err != nil:
		return a, fmt.Errorf("the answer ends after %d bytes: %w", len(a.Body), err)
	case int64(len(a.Body)) > c.maxBytes:
		return a, answerTooLong(c.maxBytes)
	}
	return a, nil
}

// answerTooLong is the error of an answer that has more bytes than it may have.
func answerTooLong(limit int64) error {
	return fmt.Errorf("the answer has more than %d bytes: ask for fewer series, a shorter range or a longer --step", limit)
}

func (c *queryClient) request(ctx context.Context, path, params string) (*http.Request, error) {
	u := c.base.JoinPath(path)
	if len(params) > maxURLQuery {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(params))
		if err == nil {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		return r, err
	}
	u.RawQuery = params
	return http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
}
