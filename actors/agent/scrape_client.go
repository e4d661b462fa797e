package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Limits of a scrape's answer, and of the connections that are kept for the next one.
const (
	// defaultPageBytes bounds a decompressed page: 50,000 series of 300 bytes take half of it.
	defaultPageBytes    = 32 << 20
	maxPageHeaderBytes  = 64 << 10
	idleConnection      = 2 * time.Minute
	firstPageBytes      = 64 << 10
	readBytes           = 32 << 10
	maxShownText        = 200
	scrapeTimeoutHeader = "X-Prometheus-Scrape-Timeout-Seconds"
)

// scrapeAccept asks for text, with UTF-8 names unescaped: by default, a node that can escape
// them puts underscores into them.
const scrapeAccept = "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.9,text/plain;version=0.0.4;q=0.8," +
	"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,*/*;q=0.1"

// fetchFunc gets a page, within ctx. It owns buf until it returns; the body may share its
// memory.
type fetchFunc func(ctx context.Context, url string, buf []byte) (body []byte, contentType string, err error)

// withoutBuffer makes a fetchFunc of a function that allocates the body.
func withoutBuffer(fetch func(context.Context, string) ([]byte, string, error)) fetchFunc {
	return func(ctx context.Context, url string, _ []byte) ([]byte, string, error) { return fetch(ctx, url) }
}

// newScrapeClient returns the client for the node's endpoints. It uses no proxy of the
// environment, follows redirects within a host alone, and does not decompress answers.
func newScrapeClient() *http.Client {
	return &http.Client{Transport: redirectTransport{NewTransport()}, CheckRedirect: checkRedirect}
}

func newDialer() *net.Dialer { return &net.Dialer{} }

// newFetchFunc returns a fetchFunc that uses the client, for pages of at most most bytes; or what an endpoint's
// settings say.
func newFetchFunc(plain *http.Client, userAgent string, most int64, settings settingsFunc) fetchFunc {
	readers := newGzipReaders()
	return func(ctx context.Context, url string, buf []byte) ([]byte, string, error) {
		own := settings(url)
		client, limit := own.client(plain), own.bodyLimit(most)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, own.urlOf(url), nil)
		if err != nil {
			return nil, "", fmt.Errorf("request of the page: %w", err)
		}
		req.Header.Set("Accept", scrapeAccept)
		req.Header.Set("Accept-Encoding", encodingFor(req.URL.Hostname()))
		req.Header.Set("User-Agent", userAgent)
		if deadline, ok := ctx.Deadline(); ok {
			req.Header.Set(scrapeTimeoutHeader, strconv.FormatFloat(time.Until(deadline).Seconds(), 'f', -1, 64))
		}
		resp, err := client.Do(req)
		if err != nil {
			return nil, "", netError(err)
		}
		defer func() { _ = resp.Body.Close() }()
		if resp.StatusCode != http.StatusOK {
			return nil, "", statusError(resp)
		}
		var body []byte
		switch encoding := resp.Header.Get("Content-Encoding"); strings.ToLower(encoding) {
		case "", "identity":
			body, err = readPage(resp.Body, buf, resp.ContentLength, limit)
		case "gzip", "x-gzip":
			body, err = readers.readPage(resp.Body, buf, limit)
		default:
			err = failuref(failedEncoding, "the endpoint answered in the encoding %.*q: gzip is read, and no other", maxShownText, encoding)
		}
		return body, resp.Header.Get("Content-Type"), err
	}
}

func statusError(resp *http.Response) error {
	after := ""
	if resp.Request.Response != nil { // the redirect
		after = " after a redirect to " + shown(resp.Request.URL.Path)
	}
	return failuref(failedStatus, "the endpoint answered %s%s", resp.Status, after)
}

// readPage reads all of r into buf, or into a larger buffer. More bytes than the limit are an
// error. Size is how many bytes are expected, negative if that is not known.
func readPage(r io.Reader, buf []byte, size int64, limit bodyLimit) ([]byte, error) {
	if size > limit.bytes {
		return nil, pageLimitError(fmt.Sprint(size), limit)
	}
	page := buf[:0]
	if need := max(size+1, 1); int64(cap(page)) < need {
		page = make([]byte, 0, max(need, firstPageBytes))
	}
	for {
		n, err := r.Read(page[len(page):cap(page)])
		page = page[:len(page)+n]
		switch {
		case int64(len(page)) > limit.bytes:
			return nil, pageLimitError(fmt.Sprintf("more than %d", limit.bytes), limit)
		case errors.Is(err, io.EOF):
			return page, nil
		case err != nil:
			return nil, readError(len(page), err)
		case len(page) == cap(page):
			page = append(page, 0)[:len(page)]
		}
	}
}

func pageLimitError(size string, limit bodyLimit) error {
	return failuref(failedBodyLimit, "a page of %s bytes, at most %d are allowed (%s)", size, limit.bytes, limit.setting)
}

func readError(read int, err error) error {
	f := netError(err)
	var of scrapeFailure
	if errors.As(f, &of) {
		return failuref(of.kind, "page after %d bytes: %w", read, of.error)
	}
	return failuref(failedConnection, "page after %d bytes: %w", read, f)
}

// encodingFor returns the encoding to ask a host for. On this machine, compression costs more
// than it saves.
func encodingFor(host string) string {
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return "identity"
	}
	return "gzip"
}
