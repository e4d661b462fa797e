package httpapi

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"fodc/httpapi/access"
	"fodc/httpapi/promapi"

	"github.com/klauspost/compress/gzhttp"
	"github.com/klauspost/compress/gzip"
	"go.uber.org/zap"
)

const (
	headerRequestID = "X-Request-Id"
	headerPolicy    = "Content-Security-Policy"
	// minGzipBytes is the size from which a response is worth compressing.
	minGzipBytes = 1 << 10
	// maxQuotedBytes bounds what an error or a log line quotes of a request.
	maxQuotedBytes = 100
)

// router finds the route of a request, and does what all routes have in common: request
// ids, methods, panics, errors and metrics.
type router struct {
	endpoints endpoints
	// gate decides who may ask what.
	gate *access.Gate
	log  *zap.Logger
	// errorLog is log for internal errors, with a limit on how many it writes.
	errorLog *zap.Logger
	// metrics may be nil.
	metrics *selfMetrics
}

// newRouter returns the handler of the endpoints, of those of the API of Prometheus, and of an index of
// them at /. Requests pass the gate first; without one, all may ask who know a name of this machine.
func newRouter(title string, own []endpoint, api []promapi.Route, gate *access.Gate, log *zap.Logger, metrics *selfMetrics) http.Handler {
	if gate == nil {
		gate = access.New(access.Config{Log: log})
	}
	rt := &router{endpoints: endpoints{exact: map[string]endpoint{}}, gate: gate, log: log, errorLog: limited(log, errorLines), metrics: metrics}
	rt.endpoints.add(endpoint{route: route{path: "/", serve: forPeople(index(title, own, len(api) > 0))}, methods: readMethods})
	for _, e := range own {
		rt.endpoints.add(e)
	}
	for _, r := range api {
		rt.endpoints.add(queryEndpoint(r))
	}
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(minGzipBytes), gzhttp.CompressionLevel(gzip.BestSpeed),
		// Scrapers have announced zstd without being able to read it.
		gzhttp.EnableZstd(false), gzhttp.ContentTypeFilter(isCompressible))
	if err != nil {
		panic(err) // The options are constants.
	}
	return wrap(rt)
}

// isCompressible reports whether a body of the type is worth compressing. The chunks of a remote read and
// the profiles of Go are compressed already.
func isCompressible(contentType string) bool {
	return !strings.HasPrefix(contentType, "application/x-streamed-protobuf") && contentType != contentBytes && gzhttp.DefaultContentTypeFilter(contentType)
}

// responseRecorder keeps the status of a response, and the newest error of writing it. It adds headers to all responses.
type responseRecorder struct {
	http.ResponseWriter
	headers map[string]string
	// status is 0 until the response has begun.
	status int
	// writeErr is nil as long as the client takes the response.
	writeErr error
	// json: the response is made here, and is JSON. A file, whose length is known ahead, goes as it is.
	json bool
}

// begin is called ahead of each part of a response. The response may have a policy of its own for what its page may
// load: then the browser keeps to both.
func (rec *responseRecorder) begin(code int) {
	if rec.status != 0 {
		return
	}
	rec.status = code
	h := rec.Header()
	rec.json = strings.HasPrefix(h.Get("Content-Type"), contentJSON) && h.Get("Content-Length") == ""
	for name, value := range rec.headers {
		if name == headerPolicy && h.Get(name) != "" {
			h.Add(name, value)
			continue
		}
		h.Set(name, value)
	}
}

func (rec *responseRecorder) WriteHeader(code int) {
	rec.begin(code)
	rec.ResponseWriter.WriteHeader(code)
}

func (rec *responseRecorder) Write(b []byte) (int, error) {
	rec.begin(http.StatusOK)
	part := b
	if rec.json {
		part = plainJSON(b)
	}
	n, err := rec.ResponseWriter.Write(part)
	if err != nil {
		rec.writeErr = err
		return min(n, len(b)), err
	}
	return len(b), nil
}

// Flush implements http.Flusher.
func (rec *responseRecorder) Flush() {
	rec.begin(http.StatusOK)
	if err := http.NewResponseController(rec.ResponseWriter).Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		rec.writeErr = err
	}
}

func (rec *responseRecorder) Unwrap() http.ResponseWriter { return rec.ResponseWriter }

// ServeHTTP implements http.Handler.
func (rt *router) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	begin := time.Now()
	w, id := &responseRecorder{ResponseWriter: rw, headers: rt.gate.Headers()}, rand.Text()
	w.Header().Set(headerRequestID, id)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	// Evidence and settings stay in no cache, on no disk of a reader. The files of the pages say otherwise.
	w.Header().Set("Cache-Control", "no-store")
	served := rt.endpoints.find(r)
	fields := []zap.Field{zap.String("request_id", id), zap.String("method", truncated(r.Method)), zap.String("route", served.route.path)}
	log := rt.log.WithLazy(fields...)
	code := 0 // of the request in metrics and log
	defer func() {
		rt.metrics.request(served.route.path, code, time.Since(begin))
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

// serve calls the route's handler, and turns a panic into an error.
func (rt *router) serve(served endpoint, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		if p := recover(); p != nil {
			rt.metrics.panicked()
			err = &panicError{p, debug.Stack()}
		}
	}()
	r, err = rt.gate.Check(r, access.Request{Open: served.open, Changes: served.changes(r.Method), Route: served.path})
	if err != nil {
		return err
	}
	if !served.takes(r.Method) {
		return &methodError{served.methods}
	}
	return served.serve(w, r)
}

// panicError is a panic of a handler; its text goes to the log only.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.value, e.stack) }

// methodError says that a route does not take a method.
type methodError struct{ allowed []string }

func (e *methodError) Error() string { return "the method must be " + strings.Join(e.allowed, " or ") }

// truncated returns the first maxQuotedBytes of a text of a request, for an error or a log
// line that quotes it.
func truncated(s string) string {
	if len(s) <= maxQuotedBytes {
		return s
	}
	return s[:maxQuotedBytes] + "..."
}
