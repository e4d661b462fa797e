package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"

	"fodc/recorder"
)

// failureKind is why a scrape gave no page, as in metrics and on /health.
type failureKind string

const (
	// failedRefused: nothing listens at the endpoint.
	failedRefused failureKind = "refused"
	// failedTimeout: the answer was not complete in time.
	failedTimeout failureKind = "timeout"
	// failedConnection: any other error of a connection, or no HTTP.
	failedConnection failureKind = "connection"
	// failedStatus: the endpoint answered with another status than 200, or with a redirect that
	// is not followed.
	failedStatus failureKind = "status"
	// failedEncoding: the body is compressed in a way that cannot be read.
	failedEncoding failureKind = "encoding"
	// failedBodyLimit, failedLabelLimit, failedSampleLimit: the page has too many bytes or samples, or a sample too many
	// labels.
	failedBodyLimit   failureKind = "body_limit"
	failedLabelLimit  failureKind = "label_limit"
	failedSampleLimit failureKind = "sample_limit"
	// failedPage: the body is no page of metrics.
	failedPage failureKind = "page"
	// failedToken: nobody gave the OAuth2 token that the endpoint is to be asked with.
	failedToken failureKind = "token"
)

// failureKinds are all kinds, in the order of metrics.
var failureKinds = []failureKind{failedBodyLimit, failedConnection, failedEncoding, failedLabelLimit, failedPage, failedRefused,
	failedSampleLimit, failedStatus, failedTimeout, failedToken}

// scrapeFailure is why a scrape gave no page.
type scrapeFailure struct {
	kind failureKind
	error
}

func (f scrapeFailure) Unwrap() error { return f.error }

func failuref(kind failureKind, format string, args ...any) error {
	return scrapeFailure{kind, fmt.Errorf(format, args...)}
}

// kindOf returns the kind of a scrape's error, empty for nil.
func kindOf(err error) failureKind {
	var f scrapeFailure
	switch {
	case err == nil:
		return ""
	case errors.As(err, &f):
		return f.kind
	default:
		return failedConnection
	}
}

// pageError returns the error of a page with its kind.
func pageError(err error) error {
	switch {
	case errors.Is(err, recorder.ErrTooManySamples):
		return scrapeFailure{failedSampleLimit, err}
	case errors.Is(err, recorder.ErrTooManyLabels):
		return scrapeFailure{failedLabelLimit, err}
	case errors.Is(err, recorder.ErrCompressed):
		return scrapeFailure{failedEncoding, err}
	default:
		return scrapeFailure{failedPage, err}
	}
}

// withoutKind returns the error without its kind.
func withoutKind(err error) error {
	var f scrapeFailure
	if errors.As(err, &f) {
		return f.error
	}
	return err
}

// netError returns a network error with its kind, without the URL, which is known, and without
// the local port, which changes. An error that has a kind already is returned as it is.
func netError(err error) error {
	var op *net.OpError
	var of *url.Error
	var failure scrapeFailure
	var token interface{ IsTokenError() }
	if errors.As(err, &of) {
		err = of.Err
	}
	switch {
	case errors.As(err, &failure):
		return failure
	case errors.As(err, &token):
		return failuref(failedToken, "%w", err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return failuref(failedTimeout, "no whole answer in time")
	case errors.Is(err, connectionRefused) && errors.As(err, &op):
		return failuref(failedRefused, "%s: %w", op.Op, op.Err)
	case errors.As(err, &op):
		return failuref(failedConnection, "%s: %w", op.Op, op.Err)
	default:
		return failuref(failedConnection, "%w", err)
	}
}
