package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"fodc/actors/agent/mask"
)

// Limits of an answer: what it has beside its body, and what an error shows of it.
const (
	maxHeaderBytes = 64 << 10
	maxShownBytes  = 200
	// keptConnection is how long a connection is kept for the next request.
	keptConnection = time.Second
)

// Limits bounds a request: the size of the answer, and the time until all of it has come.
type Limits struct {
	Bytes int64
	Time  time.Duration
}

// Client does the requests. Those that come one after the other share a connection, which is not kept for long: captures are rare.
type Client struct{ http *http.Client }

// NewClient returns a client that uses no proxy of the environment and follows no redirect.
func NewClient() *Client {
	return &Client{&http.Client{
		Transport: &http.Transport{
			DialContext:            (&net.Dialer{}).DialContext,
			MaxResponseHeaderBytes: maxHeaderBytes,
			ReadBufferSize:         textBytes, // An answer comes in many small chunks.
			MaxIdleConnsPerHost:    1,
			IdleConnTimeout:        keptConnection,
			DisableCompression:     true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// errTime is why a request ends that takes too long.
var errTime = errors.New("it takes too long")

// SilentError is of an answer that did not come in time, or not wholly.
type SilentError struct {
	Time time.Duration
	// Bytes is what came.
	Bytes int64
}

func (e *SilentError) Error() string {
	return fmt.Sprintf("no whole answer within %s, but %d bytes", e.Time, e.Bytes)
}

// Get writes what a URL answers, and returns how many bytes were written. It returns an error
// unless the answer has the status 200, is whole, and is what it must be; what was written by then
// is to be thrown away. The error names the URL, without secrets; it wraps one of w.
func (c *Client) Get(ctx context.Context, from string, content Content, limits Limits, w io.Writer) (int64, error) {
	limited, cancel := context.WithTimeoutCause(ctx, limits.Time, errTime)
	defer cancel()
	n, err := c.get(limited, from, content, limits, w)
	if err != nil {
		if errors.Is(context.Cause(limited), errTime) && (errors.Is(err, errTime) || errors.Is(err, context.DeadlineExceeded)) {
			err = &SilentError{limits.Time, n}
		}
		return n, fmt.Errorf("%s: %w", shown(from), err)
	}
	return n, nil
}

func (c *Client) get(ctx context.Context, from string, content Content, limits Limits, w io.Writer) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return 0, withoutURL(err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, withoutURL(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if err := checkHeader(resp, limits.Bytes); err != nil {
		return 0, err
	}
	b := newBody(resp.Body, w, limits.Bytes)
	if !content.begins(b.readHead()) {
		if b.fromErr != nil && !errors.Is(b.fromErr, io.EOF) {
			return 0, cutShort(0, b.fromErr)
		}
		return 0, fmt.Errorf("the answer is no %s: it begins with %q", content.name, shown(string(b.head)))
	}
	err = content.check(b)
	if err == nil {
		_, err = io.Copy(io.Discard, b) // The check may leave some behind its own end.
	}
	switch failure := b.failure(); {
	case failure != nil:
		return b.written, cutShort(b.written, failure)
	case err != nil:
		return b.written, err
	}
	return b.written, nil
}

// checkHeader returns an error unless the answer has a body that can be taken.
func checkHeader(resp *http.Response, limit int64) error {
	if resp.StatusCode != http.StatusOK {
		return statusError(resp)
	}
	if encoding := resp.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return fmt.Errorf("the answer is in the encoding %q: it was asked for in none", shown(encoding))
	}
	if resp.ContentLength < 0 && len(resp.TransferEncoding) == 0 {
		return errors.New("the answer does not say where it ends: one that is cut short would be taken for whole")
	}
	if resp.ContentLength > limit {
		return tooLarge(fmt.Sprint(resp.ContentLength), limit)
	}
	return nil
}

// statusError says what the answer is, with the beginning of its text: the reason of a server
// that has one.
func statusError(resp *http.Response) error {
	text := "it answered " + shown(resp.Status)
	if to := resp.Header.Get("Location"); to != "" {
		return fmt.Errorf("%s with a redirect to %q: none is followed", text, shown(to))
	}
	reason, _ := io.ReadAll(io.LimitReader(resp.Body, maxShownBytes))
	if line, _, _ := strings.Cut(strings.TrimSpace(string(reason)), "\n"); line != "" {
		text += fmt.Sprintf(": %q", shown(line))
	}
	if resp.StatusCode == http.StatusNotFound {
		return notFoundError{text}
	}
	return errors.New(text)
}

// notFoundError is of a server that does not have what it was asked for.
type notFoundError struct{ text string }

func (e notFoundError) Error() string { return e.text }

// connect returns an error if nobody listens at the host of a URL. Nothing is asked there. Of a URL that is not valid a request has
// the better error.
func (c *Client) connect(ctx context.Context, at string) error {
	u, err := url.Parse(at)
	if err != nil {
		return nil
	}
	port := u.Port()
	if port == "" {
		port = "80"
		if u.Scheme == "https" {
			port = "443"
		}
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	conn, err := c.http.Transport.(*http.Transport).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return withoutURL(err)
	}
	return conn.Close()
}

// cutShort is the error of an answer that did not come to its end, or could not be written.
func cutShort(written int64, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the answer was cut short after %d bytes: %w", written, err)
	}
	return fmt.Errorf("after %d bytes: %w", written, err)
}

// dialError is of a server that cannot be connected to.
type dialError struct{ err error }

func (e dialError) Error() string { return "dial: " + e.err.Error() }
func (e dialError) Unwrap() error { return e.err }

// withoutURL returns an error of net/http without the URL, which may have a secret in it, and
// without the local port, which changes.
func withoutURL(err error) error {
	var of *url.Error
	if errors.As(err, &of) {
		err = of.Err
	}
	var op *net.OpError
	switch {
	case errors.As(err, &op) && op.Op == "dial":
		return dialError{op.Err}
	case errors.As(err, &op):
		return fmt.Errorf("%s: %w", op.Op, op.Err)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("it closed the connection without an answer: %w", err)
	default:
		return err
	}
}

// shown returns a text for an error: without secrets, valid and short.
func shown(text string) string {
	text = mask.Text(strings.ToValidUTF8(text, "?"))
	if len(text) > maxShownBytes {
		return strings.ToValidUTF8(text[:maxShownBytes], "") + "..."
	}
	return text
}
