package messages

import "fmt"

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
)

// Error is an error that a client may see. All other errors are internal: they are logged and
// not shown.
type Error struct {
	Kind ErrorKind
	Text string
}

func (e *Error) Error() string { return e.Text }

// Errorf returns an Error of the kind.
func Errorf(kind ErrorKind, format string, args ...any) *Error {
	return &Error{Kind: kind, Text: fmt.Sprintf(format, args...)}
}
