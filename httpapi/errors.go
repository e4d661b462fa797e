package httpapi

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"fodc/httpapi/access"
	"fodc/messages"
)

const (
	// statusClientGone is the code in metrics of a request whose client did not wait for
	// the response.
	statusClientGone = 499
	// retryAfter is when to try again after an error of the kind unavailable, in seconds.
	retryAfter = "1"
)

// httpError is an error as a client sees it.
type httpError struct {
	status int
	kind   messages.ErrorKind
	text   string
	// internal says that the error is a fault of this process, and has to be logged.
	internal bool
	// after is when to try again, where that is known.
	after time.Duration
	// allowed are the methods that the route takes, if that is what is wrong.
	allowed []string
	// challenges say by which credentials the request would be answered.
	challenges []string
}

// statusOf is the one place where kinds of errors become status codes.
func statusOf(kind messages.ErrorKind) int {
	switch kind {
	case messages.ErrBadData:
		return http.StatusBadRequest
	case messages.ErrForbidden:
		return http.StatusForbidden
	case messages.ErrUnauthorized:
		return http.StatusUnauthorized
	case messages.ErrTooMany:
		return http.StatusTooManyRequests
	case messages.ErrConflict:
		return http.StatusConflict
	case messages.ErrTooLarge:
		return http.StatusUnprocessableEntity
	case messages.ErrNotFound:
		return http.StatusNotFound
	case messages.ErrTimeout:
		return http.StatusGatewayTimeout
	case messages.ErrUnavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// httpErrorOf returns what a client sees of the error of a request. Of an error that is not a
// messages.Error it sees the id of the request only, under which the log has the error.
func httpErrorOf(err error, r *http.Request, id string) httpError {
	var known *messages.Error
	var method *methodError
	switch {
	case errors.As(err, &method):
		return httpError{status: http.StatusMethodNotAllowed, kind: messages.ErrBadData, text: method.Error(), allowed: method.allowed}
	case errors.As(err, &known):
		e := httpError{status: statusOf(known.Kind), kind: known.Kind, text: known.Text, after: known.After}
		if refusal := (*access.Refusal)(nil); errors.As(err, &refusal) {
			e.challenges = refusal.Challenges
		}
		if e.internal = e.status == http.StatusInternalServerError; e.internal {
			e.text += ": the log has it under the request id " + id
		}
		return e
	case errors.Is(err, context.Canceled) && r.Context().Err() != nil:
		return httpError{status: statusClientGone, kind: messages.ErrTimeout, text: "the client has gone"}
	case errors.Is(err, context.DeadlineExceeded):
		return httpError{status: statusOf(messages.ErrTimeout), kind: messages.ErrTimeout, text: "no answer in time"}
	default:
		return httpError{status: statusOf(messages.ErrInternal), kind: messages.ErrInternal,
			text: "internal error: the log has it under the request id " + id, internal: true}
	}
}

// write sends the error as the response.
func (e httpError) write(w http.ResponseWriter) {
	switch e.status {
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", strings.Join(e.allowed, ", "))
	case http.StatusUnauthorized:
		for _, c := range e.challenges {
			w.Header().Add("WWW-Authenticate", c)
		}
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		after := retryAfter
		if e.after > 0 {
			after = strconv.Itoa(int(math.Ceil(e.after.Seconds())))
		}
		w.Header().Set("Retry-After", after)
	}
	_ = writeJSON(w, e.status, struct {
		Status string             `json:"status"`
		Kind   messages.ErrorKind `json:"errorType"`
		Error  string             `json:"error"`
	}{"error", e.kind, e.text})
}
