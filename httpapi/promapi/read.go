package promapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"fodc/recorder/promstore"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/storage/remote"
)

// Limits of remote read.
const (
	// maxReadQueries bounds the queries of a request. A Prometheus sends one.
	maxReadQueries = 100
	// maxReadBytes bounds a request after it was unpacked. An empty query has 2 bytes there, and takes some hundred when
	// it was read, before anybody has counted them.
	maxReadBytes = 256 << 10
	// maxFrameBytes is the size of the frames of a streamed response, as in a Prometheus.
	maxFrameBytes = 1 << 20
)

// read serves the remote read of a Prometheus. The handler of Prometheus does not check how much it
// is asked, and decodes up to 32 MiB; so the request is looked at first.
func (a *API) read(w http.ResponseWriter, hr *http.Request) {
	if !admitMethod(w, hr, []string{http.MethodPost, http.MethodOptions}) {
		return
	}
	ctx, cancel := context.WithTimeout(hr.Context(), a.cfg.Limits.Timeout)
	defer cancel()
	hr = hr.WithContext(ctx)
	hr.Body = http.MaxBytesReader(w, hr.Body, maxBodyBytes)
	body, err := io.ReadAll(hr.Body)
	if err != nil {
		failure := badData("read the request: %v", err)
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			failure.status = http.StatusRequestEntityTooLarge
		}
		failPlain(w, failure)
		return
	}
	if n, err := snappy.DecodedLen(body); err == nil && n > maxReadBytes {
		failure := badData("the request has %d bytes when it is unpacked, at most %d are allowed", n, maxReadBytes)
		failure.status = http.StatusRequestEntityTooLarge
		failPlain(w, failure)
		return
	}
	again := func() io.ReadCloser { return io.NopCloser(bytes.NewReader(body)) }
	hr.Body = again()
	queries, span, err := checkRead(hr)
	if err != nil {
		failPlain(w, badData("%v", err))
		return
	}
	hr.Body = http.NoBody // The parameters of this route are in its URL.
	r, err := newRequest(w, hr)
	if err != nil {
		failPlain(w, apiErrorOf(err))
		return
	}
	s := &slot{admission: a.admission, kind: long}
	if span <= liveRange {
		s.kind = live
	}
	if err := s.wait(ctx); err != nil {
		failPlain(w, apiErrorOf(err))
		return
	}
	defer s.release()
	hr.Body = again()
	if err := a.checkSelectors(hr); err != nil {
		failPlain(w, apiErrorOf(err))
		return
	}
	hr.Body = again()
	// The handler is made for each request, since its limit on samples is one of each query. Its
	// limit on concurrency never waits. Its warnings would fill the log, and its errors are answered.
	handler := remote.NewReadHandler(slog.New(slog.DiscardHandler), nil, a.cfg.Storage.Queryable(promstore.Options{Strict: r.strict}),
		func() config.Config { return config.Config{} }, max(1, a.maxSamples[s.kind]/max(1, queries)), 1, maxFrameBytes)
	handler.ServeHTTP(flusher{w, func() { s.yield(ctx) }}, hr)
}

// flusher is an http.Flusher, also if the writer has one only inside. It calls yield before it writes.
type flusher struct {
	http.ResponseWriter
	yield func()
}

// Write implements io.Writer.
func (f flusher) Write(b []byte) (int, error) {
	f.yield()
	return f.ResponseWriter.Write(b)
}

// Flush implements http.Flusher.
func (f flusher) Flush() { _ = http.NewResponseController(f.ResponseWriter).Flush() }

// checkRead returns how many queries a request has, and the longest time that one is over. It
// returns an error if the request is larger than what is allowed.
func checkRead(hr *http.Request) (queries int, span time.Duration, err error) {
	req, err := remote.DecodeReadRequest(hr)
	if err != nil {
		return 0, 0, err
	}
	if len(req.Queries) > maxReadQueries {
		return 0, 0, fmt.Errorf("%d queries, at most %d are allowed", len(req.Queries), maxReadQueries)
	}
	re := regexps{}
	for _, q := range req.Queries {
		if q == nil {
			return 0, 0, errors.New("a query is missing")
		}
		span = max(span, between(q.StartTimestampMs, q.EndTimestampMs))
		if h := q.Hints; h != nil { // The storage reads what they say.
			span = max(span, between(h.StartMs, h.EndMs))
		}
		for _, m := range q.Matchers {
			if m.Type == prompb.LabelMatcher_RE || m.Type == prompb.LabelMatcher_NRE {
				if err := re.add(m.Value); err != nil {
					return 0, 0, err
				}
			}
		}
	}
	return len(req.Queries), span, nil
}

// checker is a storage that knows of some selections that they are an error. The handler of Prometheus has no status for
// those that it does not know itself.
type checker interface {
	Check(ctx context.Context, matchers []*labels.Matcher) error
}

// checkSelectors asks the storage whether it allows what a request selects.
func (a *API) checkSelectors(hr *http.Request) error {
	storage, ok := a.cfg.Storage.(checker)
	if !ok {
		return nil
	}
	req, err := remote.DecodeReadRequest(hr)
	if err != nil {
		return badData("%v", err)
	}
	for _, q := range req.Queries {
		matchers, err := remote.FromLabelMatchers(q.Matchers)
		if err != nil {
			return badData("%v", err)
		}
		if err := storage.Check(hr.Context(), matchers); err != nil {
			return err
		}
	}
	return nil
}

// between returns the time between two times in unix milliseconds.
func between(start, end int64) time.Duration { return time.UnixMilli(end).Sub(time.UnixMilli(start)) }

// failPlain answers with an error as the handler of Prometheus does: as text.
func failPlain(w http.ResponseWriter, failure *apiError) {
	if failure.kind == errorUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	http.Error(w, failure.text, failure.status)
}
