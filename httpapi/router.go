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
	// minGzipBytes is the size from which a response is worth compressing.
	minGzipBytes = 1 << 10
	// otherRoute stands for all unknown paths in metrics.
	otherRoute = "other"
	// maxQuotedBytes bounds what an error or a log line quotes of a request.
	maxQuotedBytes = 100
)

// nodeIDParam is the part of a route's path that stands for any node id: one or more
// characters, slashes included. A path has it once at most; see http.Request.PathValue.
const nodeIDParam = "{node_id}"

// route is a path and its handler. An error that serve returns becomes a JSON response,
// unless a part of another response was sent already: then the connection is closed, so that
// the client sees that the response is not whole.
type route struct {
	path, about string
	serve       func(w http.ResponseWriter, r *http.Request) error
}

// router finds the route of a request, and does what all routes have in common: request
// ids, methods, panics, errors and metrics.
type router struct {
	// exact are the routes without a nodeIDParam, by path; withNodeID are the others.
	exact      map[string]route
	withNodeID []route
	log        *zap.Logger
	// errorLog is log for internal errors, with a limit on how many it writes.
	errorLog *zap.Logger
	// metrics may be nil.
	metrics *selfMetrics
}

// newRouter returns the handler of the routes and of an index of them at /.
func newRouter(title string, routes []route, log *zap.Logger, metrics *selfMetrics) http.Handler {
	rt := &router{exact: map[string]route{}, log: log, errorLog: limited(log, errorLines), metrics: metrics}
	rt.exact["/"] = route{path: "/", serve: index(title, routes)}
	for _, r := range routes {
		if strings.Contains(r.path, nodeIDParam) {
			rt.withNodeID = append(rt.withNodeID, r)
			continue
		}
		rt.exact[r.path] = r
	}
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(minGzipBytes), gzhttp.CompressionLevel(gzip.BestSpeed),
		// Scrapers have announced zstd without being able to read it.
		gzhttp.EnableZstd(false))
	if err != nil {
		panic(err) // The options are constants.
	}
	return wrap(rt)
}

// responseRecorder keeps the status of a response, and the newest error of writing it.
type responseRecorder struct {
	http.ResponseWriter
	// status is 0 until the response has begun.
	status int
	// writeErr is nil as long as the client takes the response.
	writeErr error
}

func (rec *responseRecorder) WriteHeader(code int) {
	if rec.status == 0 {
		rec.status = code
	}
	rec.ResponseWriter.WriteHeader(code)
}

func (rec *responseRecorder) Write(b []byte) (int, error) {
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	n, err := rec.ResponseWriter.Write(b)
	if err != nil {
		rec.writeErr = err
	}
	return n, err
}

func (rec *responseRecorder) Unwrap() http.ResponseWriter { return rec.ResponseWriter }

// ServeHTTP implements http.Handler.
func (rt *router) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	begin := time.Now()
	w, id := &responseRecorder{ResponseWriter: rw}, rand.Text()
	w.Header().Set(headerRequestID, id)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	served := rt.routeOf(r)
	fields := []zap.Field{zap.String("request_id", id), zap.String("method", truncated(r.Method)), zap.String("route", served.path)}
	log := rt.log.WithLazy(fields...)
	code := 0 // of the request in metrics and log
	defer func() {
		rt.metrics.request(served.path, code, time.Since(begin))
		log.Debug("request", zap.Int("code", code), zap.Duration("took", time.Since(begin)))
	}()
	err := rt.serve(served, w, r)
	if err == nil {
		if w.status == 0 { // An empty body.
			w.WriteHeader(http.StatusOK)
		}
		code = w.status
		return
	}
	failure := httpErrorOf(err, r, id)
	code = failure.status
	switch {
	case w.writeErr != nil && errors.Is(err, w.writeErr):
		code = statusClientGone // It has gone, or reads too slowly.
	case failure.internal:
		rt.errorLog.With(fields...).Error("request failed", zap.Error(err))
	}
	if w.status != 0 {
		log.Debug("response cut short", zap.Error(err))
		panic(http.ErrAbortHandler) // http.Server closes the connection, and logs nothing.
	}
	failure.write(w)
}

// routeOf finds the request's route, and sets its path value if it has one.
func (rt *router) routeOf(r *http.Request) route {
	if exact, ok := rt.exact[r.URL.Path]; ok {
		return exact
	}
	for _, pattern := range rt.withNodeID {
		before, after, _ := strings.Cut(pattern.path, nodeIDParam)
		rest, ok := strings.CutPrefix(r.URL.Path, before)
		if !ok {
			continue
		}
		if id, ok := strings.CutSuffix(rest, after); ok && id != "" {
			r.SetPathValue(strings.Trim(nodeIDParam, "{}"), id)
			return pattern
		}
	}
	return route{path: otherRoute, serve: notFound}
}

// serve calls the route's handler, and turns a panic into an error.
func (rt *router) serve(served route, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		if p := recover(); p != nil {
			rt.metrics.panicked()
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
	return messages.Errorf(messages.ErrNotFound, "no such path: %q; / lists those there are", truncated(r.URL.Path))
}

// truncated returns the first maxQuotedBytes of a text of a request, for an error or a log
// line that quotes it.
func truncated(s string) string {
	if len(s) <= maxQuotedBytes {
		return s
	}
	return s[:maxQuotedBytes] + "..."
}

// index returns the handler of a page of links to the routes. They are relative, so that
// they work behind a reverse proxy with a prefix. A route with a node id is text, not a link.
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
