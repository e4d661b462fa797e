package httpapi

import (
	"net/http"
	"strings"

	"fodc/httpapi/ui"
	"fodc/messages"
)

const (
	uiPath = "/ui/"
	// uiFileParam stands for the path of a file of the pages, slashes included.
	uiFileParam = "{ui_file}"
)

// The programs that serve pages.
const (
	programProxy = "proxy"
	programAgent = "agent"
	programView  = "view"
)

// serverView is the JSON of /ui/server.json: who serves the pages, and what else it serves.
type serverView struct {
	Program string `json:"program"`
	Version string `json:"version"`
	// NodeID is the node of an agent.
	NodeID string      `json:"node_id,omitempty"`
	Routes []routeView `json:"routes"`
}

type routeView struct {
	Path    string   `json:"path"`
	Methods []string `json:"methods"`
	About   string   `json:"about"`
}

// withPages adds the pages for people to the routes of a server. They are told what these are.
func withPages(s serverView, own []endpoint) []endpoint {
	s.Routes = make([]routeView, 0, len(own))
	for _, e := range own {
		s.Routes = append(s.Routes, routeView{e.path, e.methods, e.about})
	}
	return append(own, readEndpoints([]route{
		{"/ui", "", func(w http.ResponseWriter, _ *http.Request) error { return seeOther(w, "./ui/") }},
		{uiPath, "the pages for people", serveUI},
		{uiPath + "server.json", "", func(w http.ResponseWriter, _ *http.Request) error { return writeJSON(w, http.StatusOK, s) }},
		{uiPath + uiFileParam, "", serveUI},
	})...)
}

func serveUI(w http.ResponseWriter, r *http.Request) error {
	served, err := ui.Load().Serve(w, r, strings.TrimPrefix(r.URL.Path, uiPath))
	if err == nil && !served {
		return messages.Errorf(messages.ErrNotFound, "page not found: %q; /ui/ has the pages", truncated(r.URL.Path))
	}
	return err
}

// forPeople returns a handler that leads browsers to the pages. All others get the index.
func forPeople(index func(http.ResponseWriter, *http.Request) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Add("Vary", "Accept")
		if acceptWeight(strings.Join(r.Header.Values("Accept"), ","), "text/html") > 0 {
			return seeOther(w, "./ui/")
		}
		return index(w, r)
	}
}

// seeOther leads to a place that is relative to the request's path, which a reverse proxy may have changed.
func seeOther(w http.ResponseWriter, relative string) error {
	w.Header().Set("Location", relative)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}
