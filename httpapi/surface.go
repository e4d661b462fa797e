package httpapi

import (
	"crypto/rand"
	"errors"
	"fmt"
	"html"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"fodc/messages"

	"github.com/klauspost/compress/gzhttp"
	"github.com/klauspost/compress/gzip"
	"go.uber.org/zap"
)

const (
	headerRequestID = "X-Request-Id"
	// minGzipBytes is the size from which an answer is worth compressing.
	minGzipBytes = 1 << 10
	// otherRoute stands for all unknown paths in metrics.
	otherRoute = "other"
	// shownBytes bounds what an error repeats of a request.
	shownBytes = 100
)

// nodeIDParam is the part of a route's path that stands for any node id: one or more
// characters, slashes included. A path has it once at most; see http.Request.PathValue.
const nodeIDParam = "{node_id}"

// route is a path and what serves it. An error that serve returns is answered as
// JSON, unless a part of another answer is out already: that one is cut short, so
// that nobody takes it for whole.
type route struct {
	path, about string
	serve       func(w http.ResponseWriter, r *http.Request) error
}

// surface serves routes, and is what all their requests go through.
type surface struct {
	routes map[string]route
	// open are the routes with a nodeIDParam.
	open []route
	log  *zap.Logger
	// faults is log for what goes wrong here, within limits.
	faults *zap.Logger
	// metrics may be nil.
	metrics *selfMetrics
}

// newSurface returns the handler of the routes and of an index of them at /.
func newSurface(title string, routes []route, log *zap.Logger, metrics *selfMetrics) http.Handler {
	s := &surface{routes: map[string]route{}, log: log, faults: limited(log, faultLines), metrics: metrics}
	s.routes["/"] = route{path: "/", serve: index(title, routes)}
	for _, r := range routes {
		if strings.Contains(r.path, nodeIDParam) {
			s.open = append(s.open, r)
			continue
		}
		s.routes[r.path] = r
	}
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(minGzipBytes), gzhttp.CompressionLevel(gzip.BestSpeed),
		// Scrapers have announced zstd without being able to read it.
		gzhttp.EnableZstd(false))
	if err != nil {
		panic(err) // The options are constants.
	}
	return wrap(s)
}

// answer is a response that knows how far it has come.
type answer struct {
	http.ResponseWriter
	// code is 0 until the answer has begun.
	code int
	// broken is why it could not be written on.
	broken error
}

func (a *answer) WriteHeader(code int) {
	if a.code == 0 {
		a.code = code
	}
	a.ResponseWriter.WriteHeader(code)
}

func (a *answer) Write(b []byte) (int, error) {
	if a.code == 0 {
		a.code = http.StatusOK
	}
	n, err := a.ResponseWriter.Write(b)
	if err != nil {
		a.broken = err
	}
	return n, err
}

func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// ServeHTTP implements http.Handler.
func (s *surface) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	begin := time.Now()
	w, id := &answer{ResponseWriter: rw}, rand.Text()
	w.Header().Set(headerRequestID, id)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	served := s.routeOf(r)
	fields := []zap.Field{zap.String("request_id", id), zap.String("method", r.Method), zap.String("route", served.path)}
	log := s.log.WithLazy(fields...)
	code := 0 // what the request counts as
	defer func() {
		s.metrics.request(served.path, code, time.Since(begin))
		log.Debug("request", zap.Int("code", code), zap.Duration("took", time.Since(begin)))
	}()
	err := s.serve(served, w, r)
	if err == nil {
		if w.code == 0 { // An empty page.
			w.WriteHeader(http.StatusOK)
		}
		code = w.code
		return
	}
	fault := faultOf(err, r, id)
	code = fault.status
	switch {
	case w.broken != nil && errors.Is(err, w.broken):
		code = statusClientGone // or it reads too slowly
	case fault.ours:
		s.faults.With(fields...).Error("request failed", zap.Error(err))
	}
	if w.code != 0 {
		log.Debug("answer cut short", zap.Error(err))
		panic(http.ErrAbortHandler) // http.Server closes the connection, without a word.
	}
	fault.write(w)
}

// routeOf finds the request's route, and sets its path value if it has one.
func (s *surface) routeOf(r *http.Request) route {
	if exact, ok := s.routes[r.URL.Path]; ok {
		return exact
	}
	for _, open := range s.open {
		before, after, _ := strings.Cut(open.path, nodeIDParam)
		rest, ok := strings.CutPrefix(r.URL.Path, before)
		if !ok {
			continue
		}
		if id, ok := strings.CutSuffix(rest, after); ok && id != "" {
			r.SetPathValue(strings.Trim(nodeIDParam, "{}"), id)
			return open
		}
	}
	return route{path: otherRoute, serve: notFound}
}

// serve calls the route, and turns a panic into an error.
func (s *surface) serve(served route, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.metrics.panicked()
			err = &panicError{p, debug.Stack()}
		}
	}()
	if served.path != otherRoute && r.Method != http.MethodGet && r.Method != http.MethodHead {
		return errMethod
	}
	return served.serve(w, r)
}

// panicError is a panic of a handler; its text goes to the log only.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.value, e.stack) }

var errMethod = errors.New("method not allowed")

func notFound(_ http.ResponseWriter, r *http.Request) error {
	return messages.Errorf(messages.ErrNotFound, "no such path: %q; / lists those there are", shown(r.URL.Path))
}

// shown cuts a text from a request short, for an error that repeats it.
func shown(s string) string {
	if len(s) <= shownBytes {
		return s
	}
	return s[:shownBytes] + "..."
}

// index serves a page of links. They are relative, for a server behind a prefix. A
// path that is not whole without a node id is no link.
func index(title string, routes []route) func(http.ResponseWriter, *http.Request) error {
	var b strings.Builder
	fmt.Fprintf(&b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>%s</title></head>\n<body>\n<h1>%[1]s</h1>\n<ul>\n", html.EscapeString(title))
	for _, r := range routes {
		if strings.Contains(r.path, nodeIDParam) {
			fmt.Fprintf(&b, "<li>%s: %s</li>\n", html.EscapeString(r.path), html.EscapeString(r.about))
			continue
		}
		fmt.Fprintf(&b, "<li><a href=\".%s\">%[1]s</a>: %s</li>\n", html.EscapeString(r.path), html.EscapeString(r.about))
	}
	b.WriteString("</ul>\n</body>\n</html>\n")
	page := []byte(b.String())
	return func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Content-Security-Policy", "default-src 'none'")
		return writeBody(w, http.StatusOK, contentHTML, page)
	}
}
