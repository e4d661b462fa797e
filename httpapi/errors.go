package httpapi

import (
	"context"
	"errors"
	"net/http"

	"fodc/messages"
)

const (
	// statusClientGone is what a request counts as whose client did not wait for the
	// answer.
	statusClientGone = 499
	// retryAfter is when to come back after an error of the kind unavailable, in
	// seconds.
	retryAfter = "1"
)

// fault is an error as a client sees it.
type fault struct {
	status int
	kind   messages.ErrorKind
	text   string
	// ours says that the error is a mistake of this process, to be logged.
	ours bool
}

// statusOf is the one place where kinds of errors become status codes.
func statusOf(kind messages.ErrorKind) int {
	switch kind {
	case messages.ErrBadData:
		return http.StatusBadRequest
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

// faultOf says how the error of a request is answered. An error that is not made
// for clients is not shown; the request's id leads to it in the log.
func faultOf(err error, r *http.Request, id string) fault {
	var known *messages.Error
	switch {
	case errors.Is(err, errMethod):
		return fault{status: http.StatusMethodNotAllowed, kind: messages.ErrBadData,
			text: "the method must be GET or HEAD"}
	case errors.As(err, &known):
		f := fault{status: statusOf(known.Kind), kind: known.Kind, text: known.Text}
		if f.ours = f.status == http.StatusInternalServerError; f.ours {
			f.text += ": the log has it under the request id " + id
		}
		return f
	case errors.Is(err, context.Canceled) && r.Context().Err() != nil:
		return fault{status: statusClientGone, kind: messages.ErrTimeout, text: "the client has gone"}
	case errors.Is(err, context.DeadlineExceeded):
		return fault{status: statusOf(messages.ErrTimeout), kind: messages.ErrTimeout, text: "no answer in time"}
	default:
		return fault{status: statusOf(messages.ErrInternal), kind: messages.ErrInternal,
			text: "internal error: the log has it under the request id " + id, ours: true}
	}
}

// write answers with the error.
func (f fault) write(w http.ResponseWriter) {
	switch f.status {
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", "GET, HEAD")
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", retryAfter)
	}
	_ = writeJSON(w, f.status, struct {
		Status string             `json:"status"`
		Kind   messages.ErrorKind `json:"errorType"`
		Error  string             `json:"error"`
	}{"error", f.kind, f.text})
}
