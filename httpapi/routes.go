package httpapi

import (
	"fmt"
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"fodc/httpapi/promapi"
	"fodc/messages"
)

const (
	// nodeIDParam is the part of a route's path that stands for any node id, podNameParam for any pod
	// name: one or more characters, slashes included; evidencePathParam and uiFileParam are others. Other names in braces
	// stand for text without a slash. See http.Request.PathValue.
	nodeIDParam  = "{node_id}"
	podNameParam = "{pod_name}"
	// otherRoute stands for all unknown paths in metrics.
	otherRoute = "other"
	// apiPrefix begins the paths of the API of Prometheus.
	apiPrefix = "/api/"
)

// route is a path and its handler. An error that serve returns becomes a JSON response,
// unless a part of another response was sent already: then the connection is closed, so that
// the client sees that the response is not whole.
type route struct {
	path, about string
	serve       func(w http.ResponseWriter, r *http.Request) error
}

// endpoint is a route with the methods that it takes.
type endpoint struct {
	route
	methods []string
	// open: everybody may ask it.
	open bool
	// reads: it changes nothing, whatever the method is.
	reads bool
}

var readMethods = []string{http.MethodGet, http.MethodHead}

// readEndpoints returns the routes of which each takes the methods that read.
func readEndpoints(routes []route) []endpoint {
	all := make([]endpoint, 0, len(routes))
	for _, r := range routes {
		all = append(all, endpoint{route: r, methods: readMethods})
	}
	return all
}

// probeEndpoints returns the routes by which a supervisor finds out how the process does. They are open to all: supervisors
// have no credentials.
func probeEndpoints(what string, ready func() bool) []endpoint {
	all := readEndpoints([]route{
		{"/-/healthy", "whether " + what + " runs", serveHealthy},
		{"/-/ready", "whether " + what + " takes requests", serveReady(ready)},
	})
	for i := range all {
		all[i].open = true
	}
	return all
}

// changes reports whether a request with the method may change something.
func (e *endpoint) changes(method string) bool {
	return !e.reads && !slices.Contains(readMethods, method)
}

// queryEndpoint returns a route of the API of Prometheus, which writes its errors itself, and bounds
// the bodies that it reads.
func queryEndpoint(r promapi.Route) endpoint {
	return endpoint{methods: r.Methods, reads: true, route: route{path: r.Path, about: r.About, serve: func(w http.ResponseWriter, req *http.Request) error {
		r.Serve(w, req)
		if rec, ok := w.(*responseRecorder); ok && rec.writeErr != nil {
			return fmt.Errorf("write the response: %w", rec.writeErr)
		}
		return nil
	}}}
}

// endpoints are those of a server.
type endpoints struct {
	// exact are those without parameters, by path; patterns are the others.
	exact    map[string]endpoint
	patterns []pattern
}

type pattern struct {
	endpoint
	path  *regexp.Regexp
	names []string // of its groups
}

var pathParam = regexp.MustCompile(`\{([a-z_]+)\}`)

func (e *endpoints) add(one endpoint) {
	params := pathParam.FindAllStringSubmatchIndex(one.route.path, -1)
	if params == nil {
		e.exact[one.route.path] = one
		return
	}
	p, text, end := pattern{endpoint: one}, `(?s)^`, 0
	for _, at := range params {
		group := `([^/]+)`
		if name := one.route.path[at[0]:at[1]]; name == nodeIDParam || name == podNameParam || name == evidencePathParam || name == uiFileParam {
			group = `(.+)`
		}
		text += regexp.QuoteMeta(one.route.path[end:at[0]]) + group
		p.names = append(p.names, one.route.path[at[2]:at[3]])
		end = at[1]
	}
	p.path = regexp.MustCompile(text + regexp.QuoteMeta(one.route.path[end:]) + `$`)
	e.patterns = append(e.patterns, p)
}

// find finds the request's endpoint, and sets its path values if it has some.
func (e *endpoints) find(r *http.Request) endpoint {
	if exact, ok := e.exact[r.URL.Path]; ok {
		return exact
	}
	for i := range e.patterns {
		p := &e.patterns[i]
		if values := p.path.FindStringSubmatch(r.URL.Path); values != nil {
			for j, name := range p.names {
				r.SetPathValue(name, values[j+1])
			}
			return p.endpoint
		}
	}
	if strings.HasPrefix(r.URL.Path, apiPrefix) {
		return endpoint{route: route{path: otherRoute, serve: apiNotFound}}
	}
	return endpoint{route: route{path: otherRoute, serve: notFound}}
}

// takes reports whether the endpoint takes the method. An unknown path takes all.
func (e *endpoint) takes(method string) bool {
	return e.methods == nil || slices.Contains(e.methods, method)
}

// notFound has the words "page not found": Grafana looks for them at /rules/test/test, to find out
// whether rules can be changed here.
func notFound(_ http.ResponseWriter, r *http.Request) error {
	return messages.Errorf(messages.ErrNotFound, "page not found: %q; / lists those there are", truncated(r.URL.Path))
}

// apiNotFound responds as Prometheus does: clients look for these words to find out what there is.
func apiNotFound(w http.ResponseWriter, r *http.Request) error {
	http.NotFound(w, r)
	return nil
}

// index returns the handler of a page of links to the routes. They are relative, so that
// they work behind a reverse proxy with a prefix. A route with a parameter is text, not a link.
func index(title string, routes []endpoint, hasAPI bool) func(http.ResponseWriter, *http.Request) error {
	var b strings.Builder
	fmt.Fprintf(&b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>%s</title></head>\n<body>\n<h1>%[1]s</h1>\n<ul>\n", html.EscapeString(title))
	for _, r := range routes {
		if r.about == "" {
			continue
		}
		if strings.Contains(r.path, "{") {
			fmt.Fprintf(&b, "<li>%s: %s</li>\n", html.EscapeString(r.path), html.EscapeString(r.about))
			continue
		}
		fmt.Fprintf(&b, "<li><a href=\".%s\">%[1]s</a>: %s</li>\n", html.EscapeString(r.path), html.EscapeString(r.about))
	}
	if hasAPI {
		b.WriteString("<li>/api/v1: the HTTP API of Prometheus, for Grafana and PromQL, as in <a href=\"./api/v1/query?query=fodc_agent_up\">query=fodc_agent_up</a></li>\n")
	}
	b.WriteString("</ul>\n</body>\n</html>\n")
	page := []byte(b.String())
	return func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Content-Security-Policy", "default-src 'none'")
		return writeBody(w, http.StatusOK, contentHTML, page)
	}
}
