package messages

import (
	"fmt"
	"time"
)

// ErrorKind is a class of errors. The values are the errorType of JSON answers.
type ErrorKind string

// The kinds of errors. httpapi maps them to HTTP status codes, in one place.
const (
	ErrBadData     ErrorKind = "bad_data"
	ErrTimeout     ErrorKind = "timeout"
	ErrTooLarge    ErrorKind = "too_large"
	ErrUnavailable ErrorKind = "unavailable"
	ErrNotFound    ErrorKind = "not_found"
	ErrForbidden   ErrorKind = "forbidden"
	ErrConflict    ErrorKind = "conflict"
	ErrInternal    ErrorKind = "internal"
	// ErrUnauthorized: the client must show who it is.
	ErrUnauthorized ErrorKind = "unauthorized"
	// ErrTooMany: the client asks too often.
	ErrTooMany ErrorKind = "too_many_requests"
)

// Error is an error that a client may see. All other errors are internal: they are logged and
// not shown.
type Error struct {
	Kind ErrorKind
	Text string
	// After is when to try again, of an error of the kind ErrUnavailable or ErrTooMany; 0: soon.
	After time.Duration
}

func (e *Error) Error() string { return e.Text }

// TryAgain returns the error with the time after which to try again.
func (e *Error) TryAgain(after time.Duration) *Error {
	c := *e
	c.After = after
	return &c
}

// Errorf returns an Error of the kind.
func Errorf(kind ErrorKind, format string, args ...any) *Error {
	return &Error{Kind: kind, Text: fmt.Sprintf(format, args...)}
}
