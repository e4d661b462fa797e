package promapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"fodc/messages"

	"github.com/prometheus/prometheus/promql"
)

// errorType is the class of an error, as a response names it.
type errorType string

const (
	errorBadData     errorType = "bad_data"
	errorCanceled    errorType = "canceled"
	errorExecution   errorType = "execution"
	errorInternal    errorType = "internal"
	errorNotFound    errorType = "not_found"
	errorTimeout     errorType = "timeout"
	errorUnavailable errorType = "unavailable"
)

// statusClientGone is the status of a request whose client has not waited for the response.
const statusClientGone = 499

// retryAfter is when to try again after an error of the type unavailable, in seconds.
const retryAfter = "1"

var statuses = map[errorType]int{
	errorBadData:     http.StatusBadRequest,
	errorCanceled:    statusClientGone,
	errorExecution:   http.StatusUnprocessableEntity,
	errorInternal:    http.StatusInternalServerError,
	errorNotFound:    http.StatusNotFound,
	errorTimeout:     http.StatusServiceUnavailable,
	errorUnavailable: http.StatusServiceUnavailable,
}

// apiError is an error as a response has it.
type apiError struct {
	kind   errorType
	status int
	text   string
}

func (e *apiError) Error() string { return e.text }

func newError(kind errorType, text string) *apiError { return &apiError{kind, statuses[kind], text} }

func badData(format string, args ...any) *apiError {
	return newError(errorBadData, fmt.Sprintf(format, args...))
}

// badParameter is the error of a parameter's value.
func badParameter(name string, err error) *apiError {
	return badData("invalid parameter %q: %v", name, err)
}

// apiErrorOf returns the response to an error of the storage or the engine.
func apiErrorOf(err error) *apiError {
	var (
		known    *apiError
		message  *messages.Error
		canceled promql.ErrQueryCanceled
		timeout  promql.ErrQueryTimeout
		storage  promql.ErrStorage
	)
	switch text := err.Error(); {
	case errors.As(err, &known):
		return known
	case errors.As(err, &message):
		return newError(typeOf(message.Kind), text)
	case errors.As(err, &canceled), errors.Is(err, context.Canceled):
		return newError(errorCanceled, text)
	case errors.As(err, &timeout), errors.Is(err, context.DeadlineExceeded):
		return newError(errorTimeout, text)
	case errors.As(err, &storage):
		return newError(errorInternal, text)
	default:
		return newError(errorExecution, text)
	}
}

func typeOf(kind messages.ErrorKind) errorType {
	switch kind {
	case messages.ErrBadData:
		return errorBadData
	case messages.ErrTimeout:
		return errorTimeout
	case messages.ErrTooLarge:
		return errorExecution
	case messages.ErrUnavailable:
		return errorUnavailable
	case messages.ErrNotFound:
		return errorNotFound
	default:
		return errorInternal
	}
}
