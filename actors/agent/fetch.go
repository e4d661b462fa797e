package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
	"time"
)

// Limits of a scrape's answer, and of the connections that are kept for the next one.
const (
	// maxPageBytes bounds a page, after it was unzipped: 50,000 series of 300 bytes and
	// room to spare.
	maxPageBytes        = 32 << 20
	maxPageHeaderBytes  = 64 << 10
	idleConnection      = 2 * time.Minute
	firstPageBytes      = 64 << 10
	maxShownLocation    = 200
	scrapeAccept        = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.9,*/*;q=0.1"
	scrapeTimeoutHeader = "X-Prometheus-Scrape-Timeout-Seconds"
)

// fetcher gets a page, within ctx. What it cannot get is an error.
type fetcher func(ctx context.Context, url string) (body []byte, contentType string, err error)

// newScrapeClient returns a client for the endpoints of this node: no proxy of the
// environment, no redirects, zipped answers unzipped.
func newScrapeClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            (&net.Dialer{}).DialContext,
			MaxResponseHeaderBytes: maxPageHeaderBytes,
			MaxIdleConnsPerHost:    1,
			IdleConnTimeout:        idleConnection,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// newFetcher returns a fetcher that uses the client.
func newFetcher(client *http.Client, userAgent string) fetcher {
	return func(ctx context.Context, url string) ([]byte, string, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return nil, "", fmt.Errorf("request of the page: %w", err)
		}
		req.Header.Set("Accept", scrapeAccept)
		req.Header.Set("User-Agent", userAgent)
		if deadline, ok := ctx.Deadline(); ok {
			req.Header.Set(scrapeTimeoutHeader, strconv.FormatFloat(time.Until(deadline).Seconds(), 'f', -1, 64))
		}
		resp, err := client.Do(req)
		if err != nil {
			return nil, "", shortError(err)
		}
		defer func() { _ = resp.Body.Close() }()
		if resp.StatusCode != http.StatusOK {
			return nil, "", statusError(resp)
		}
		body, err := readPage(resp.Body, resp.ContentLength, maxPageBytes)
		return body, resp.Header.Get("Content-Type"), err
	}
}

func statusError(resp *http.Response) error {
	if location := resp.Header.Get("Location"); location != "" {
		if len(location) > maxShownLocation {
			location = location[:maxShownLocation] + "..."
		}
		return fmt.Errorf("the endpoint answered %s to %q: redirects are not followed", resp.Status, location)
	}
	return fmt.Errorf("the endpoint answered %s", resp.Status)
}

// readPage reads all, but no more than limit. size is how much is expected, negative
// if that is not known.
func readPage(r io.Reader, size, limit int64) ([]byte, error) {
	if size > limit {
		return nil, fmt.Errorf("a page of %d bytes, at most %d are allowed", size, limit)
	}
	if size < 0 {
		size = firstPageBytes
	}
	page := make([]byte, 0, size+1)
	for {
		n, err := r.Read(page[len(page):cap(page)])
		page = page[:len(page)+n]
		switch {
		case int64(len(page)) > limit:
			return nil, fmt.Errorf("a page of more than %d bytes, at most %d are allowed", limit, limit)
		case errors.Is(err, io.EOF):
			return page, nil
		case err != nil:
			return nil, fmt.Errorf("page after %d bytes: %w", len(page), shortError(err))
		case len(page) == cap(page):
			page = append(page, 0)[:len(page)]
		}
	}
}

// shortError leaves out of an error of the net what is known (the URL) or changes
// (the local port).
func shortError(err error) error {
	var op *net.OpError
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return errors.New("no whole answer in time")
	case errors.As(err, &op):
		return fmt.Errorf("%s: %w", op.Op, op.Err)
	default:
		return err
	}
}

// isRefused reports whether nothing listens at the endpoint.
func isRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
