package httpapi

import (
	"net/http"

	"fodc/httpapi/exposition"
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

// serveActors shows the actors of the process, as JSON, or as text for people.
func serveActors(tree func() messages.ActorTree) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		p, err := paramsOf(r)
		if err != nil {
			return err
		}
		format, err := p.format(w, r, formatJSON, formatText)
		if err != nil {
			return err
		}
		t := tree()
		if format == formatText {
			w.Header().Set("Content-Type", contentPlain)
			return exposition.WriteTree(w, t)
		}
		if t.Actors == nil {
			t.Actors = []messages.ActorNode{}
		}
		if t.Ended == nil {
			t.Ended = []messages.EndedActor{}
		}
		return writeJSON(w, http.StatusOK, t)
	}
}
