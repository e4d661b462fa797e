package httpapi

import (
	"net/http"

	"fodc/messages"
)

// serveHealthy says that the process answers at all.
func serveHealthy(w http.ResponseWriter, _ *http.Request) error {
	return writeBody(w, http.StatusOK, contentPlain, []byte("healthy\n"))
}

func serveReady(ready func() bool) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, _ *http.Request) error {
		if !ready() {
			return messages.Errorf(messages.ErrUnavailable, "not ready: starting or stopping")
		}
		return writeBody(w, http.StatusOK, contentPlain, []byte("ready\n"))
	}
}
