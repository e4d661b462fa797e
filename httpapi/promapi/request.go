package promapi

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
)

// maxBodyBytes bounds the body of a request with a form. It holds a query of the largest size with
// every byte escaped.
const maxBodyBytes = 1 << 20

// request is a request with its parameters, those of the form before those of the URL.
type request struct {
	*http.Request
	form url.Values
	// strict is the parameter of this name: an answer that lacks a node is an error.
	strict bool
	// slot is nil until the request has one.
	slot *slot
	// atEnd are called when the response has been written, the last one first.
	atEnd []func()
}

// finally has f called when the response has been written, or the handler has panicked.
func (r *request) finally(f func()) { r.atEnd = append(r.atEnd, f) }

func (r *request) end() {
	for _, f := range slices.Backward(r.atEnd) {
		f()
	}
}

// paramObserver is called with the name of each parameter that a handler reads. Tests put one
// into a request's context, to compare them with those of the route.
type paramObserver func(name string)

type paramObserverKey struct{}

// one returns the first value of a parameter, or "".
func (r *request) one(name string) string {
	if values := r.all(name); len(values) > 0 {
		return values[0]
	}
	return ""
}

// all returns the values of a parameter.
func (r *request) all(name string) []string {
	if observe, ok := r.Context().Value(paramObserverKey{}).(paramObserver); ok {
		observe(name)
	}
	return r.form[name]
}

// newRequest reads the parameters of a request.
func newRequest(w http.ResponseWriter, hr *http.Request) (*request, error) {
	r := &request{Request: hr}
	if hr.Body != nil {
		hr.Body = http.MaxBytesReader(w, hr.Body, maxBodyBytes)
	}
	parse := hr.ParseForm
	if media, _, err := mime.ParseMediaType(hr.Header.Get("Content-Type")); err == nil && media == "multipart/form-data" {
		// All of it fits into memory, so that no file is made.
		parse = func() error { return hr.ParseMultipartForm(maxBodyBytes) }
	}
	if err := parse(); err != nil {
		failure := badData("error parsing form values: %v", err)
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			failure.status = http.StatusRequestEntityTooLarge
			failure.text = fmt.Sprintf("error parsing form values: the body is over the limit of %d bytes", tooLarge.Limit)
		}
		return nil, failure
	}
	r.form = hr.Form
	switch value := r.one("strict"); value {
	case "", "0", "false":
	case "1", "true":
		r.strict = true
	default:
		return nil, badParameter("strict", fmt.Errorf("%q: allowed are 1, 0, true, false", truncated(value)))
	}
	return r, nil
}

// maxQuotedBytes bounds what an error quotes of a request.
const maxQuotedBytes = 100

func truncated(s string) string {
	if len(s) <= maxQuotedBytes {
		return s
	}
	return s[:maxQuotedBytes] + "..."
}
