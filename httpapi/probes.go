package httpapi

import (
	"net/http"

	"fodc/messages"
)

// serveHealthy is the liveness probe: the process serves HTTP at all.
func serveHealthy(w http.ResponseWriter, _ *http.Request) error {
	return writeBody(w, http.StatusOK, contentPlain, []byte("healthy\n"))
}

// serveReady is the readiness probe: an error of the kind unavailable while the process starts
// or stops.
func serveReady(ready func() bool) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, _ *http.Request) error {
		if !ready() {
			return messages.Errorf(messages.ErrUnavailable, "not ready: starting or stopping")
		}
		return writeBody(w, http.StatusOK, contentPlain, []byte("ready\n"))
	}
}
