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
	// defaultPageBytes bounds a page, after it was unzipped: 50,000 series of 300 bytes
	// and room to spare.
	defaultPageBytes    = 32 << 20
	maxPageHeaderBytes  = 64 << 10
	idleConnection      = 2 * time.Minute
	firstPageBytes      = 64 << 10
	readBytes           = 32 << 10
	maxShownText        = 200
	scrapeTimeoutHeader = "X-Prometheus-Scrape-Timeout-Seconds"
)

// scrapeAccept asks for text, with names as they are: a node that knows of escaping
// would put underscores into those of UTF-8.
const scrapeAccept = "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.9,text/plain;version=0.0.4;q=0.8," +
	"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,*/*;q=0.1"

// fetcher gets a page, within ctx. What it cannot get is an error. The room is the
// fetcher's until it returns; the body may lie in it.
type fetcher func(ctx context.Context, url string, room []byte) (body []byte, contentType string, err error)

// withoutRoom makes a fetcher of a function that has its own room.
func withoutRoom(fetch func(context.Context, string) ([]byte, string, error)) fetcher {
	return func(ctx context.Context, url string, _ []byte) ([]byte, string, error) { return fetch(ctx, url) }
}

// newScrapeClient returns a client for the endpoints of this node: no proxy of the
// environment, redirects within a host alone; it leaves zipped answers as they are.
func newScrapeClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            (&net.Dialer{}).DialContext,
			MaxResponseHeaderBytes: maxPageHeaderBytes,
			MaxIdleConnsPerHost:    1,
			IdleConnTimeout:        idleConnection,
			ReadBufferSize:         readBytes,
			DisableCompression:     true,
		},
		CheckRedirect: checkRedirect,
	}
}

// newFetcher returns a fetcher of pages of at most limit bytes that uses the client.
func newFetcher(client *http.Client, userAgent string, limit int64) fetcher {
	unzip := newUnzipper()
	return func(ctx context.Context, url string, room []byte) ([]byte, string, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
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
			body, err = readPage(resp.Body, room, resp.ContentLength, limit)
		case "gzip", "x-gzip":
			body, err = unzip.page(resp.Body, room, limit)
		default:
			err = failuref(failedEncoding, "the endpoint answered in the encoding %.*q: gzip is read, and none", maxShownText, encoding)
		}
		return body, resp.Header.Get("Content-Type"), err
	}
}

func statusError(resp *http.Response) error {
	after := ""
	if resp.Request.Response != nil { // the answer that led here
		after = " after a redirect to " + shown(resp.Request.URL.Path)
	}
	return failuref(failedStatus, "the endpoint answered %s%s", resp.Status, after)
}

// readPage reads all into the room, or a larger one, but no more than limit. size is
// how much is expected, negative if that is not known.
func readPage(r io.Reader, room []byte, size, limit int64) ([]byte, error) {
	if size > limit {
		return nil, pageLimit(fmt.Sprint(size), limit)
	}
	page := room[:0]
	if need := max(size+1, 1); int64(cap(page)) < need {
		page = make([]byte, 0, max(need, firstPageBytes))
	}
	for {
		n, err := r.Read(page[len(page):cap(page)])
		page = page[:len(page)+n]
		switch {
		case int64(len(page)) > limit:
			return nil, pageLimit(fmt.Sprintf("more than %d", limit), limit)
		case errors.Is(err, io.EOF):
			return page, nil
		case err != nil:
			return nil, readFailure(len(page), err)
		case len(page) == cap(page):
			page = append(page, 0)[:len(page)]
		}
	}
}

func pageLimit(size string, limit int64) error {
	return failuref(failedBodyLimit, "a page of %s bytes, at most %d are allowed (--max-page-bytes)", size, limit)
}

func readFailure(read int, err error) error {
	f := netError(err)
	var of scrapeFailure
	if errors.As(f, &of) {
		return failuref(of.kind, "page after %d bytes: %w", read, of.error)
	}
	return failuref(failedConnection, "page after %d bytes: %w", read, f)
}

// encodingFor returns what is asked of a host. On this machine zipping costs more than
// it saves.
func encodingFor(host string) string {
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return "identity"
	}
	return "gzip"
}
