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

// failureKind says why a scrape gave no page, in one word.
type failureKind string

const (
	// failedRefused: nothing listens at the endpoint.
	failedRefused failureKind = "refused"
	// failedTimeout: the answer was not whole in time.
	failedTimeout failureKind = "timeout"
	// failedConnection: whatever else may happen to a connection.
	failedConnection failureKind = "connection"
	// failedStatus: the endpoint answered with another status than 200.
	failedStatus failureKind = "status"
	// failedEncoding: the answer is zipped in a way that cannot be read.
	failedEncoding failureKind = "encoding"
	// failedBodyLimit, failedSampleLimit: the page is larger than is allowed.
	failedBodyLimit   failureKind = "body_limit"
	failedSampleLimit failureKind = "sample_limit"
	// failedPage: what came is not a page of metrics.
	failedPage failureKind = "page"
)

// failureKinds are all kinds, in the order of metrics.
var failureKinds = []failureKind{failedBodyLimit, failedConnection, failedEncoding, failedPage, failedRefused,
	failedSampleLimit, failedStatus, failedTimeout}

// scrapeFailure is why a scrape gave no page.
type scrapeFailure struct {
	kind failureKind
	error
}

func (f scrapeFailure) Unwrap() error { return f.error }

func failuref(kind failureKind, format string, args ...any) error {
	return scrapeFailure{kind, fmt.Errorf(format, args...)}
}

// kindOf returns the kind of a scrape's failure; empty for nil.
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

// pageFailure gives the error of a page its kind.
func pageFailure(err error) error {
	switch {
	case errors.Is(err, recorder.ErrTooManySamples):
		return scrapeFailure{failedSampleLimit, err}
	case errors.Is(err, recorder.ErrCompressed):
		return scrapeFailure{failedEncoding, err}
	default:
		return scrapeFailure{failedPage, err}
	}
}

// unwrapFailure returns the error without its kind.
func unwrapFailure(err error) error {
	var f scrapeFailure
	if errors.As(err, &f) {
		return f.error
	}
	return err
}

// netError leaves out of an error of the net what is known (the URL) or changes (the
// local port). An error that is a scrape's failure already stays.
func netError(err error) error {
	var op *net.OpError
	var of *url.Error
	var failure scrapeFailure
	if errors.As(err, &of) {
		err = of.Err
	}
	switch {
	case errors.As(err, &failure):
		return failure
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
