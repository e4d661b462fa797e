package promapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/prometheus/prometheus/util/annotations"
)

// result is what a handler answers.
type result struct {
	// data is nil if the response has no content.
	data     any
	warnings annotations.Annotations
}

// maxPooledBytes is the size up to which the memory of a piece is used again.
const maxPooledBytes = 2 * pieceBytes

// pieces are the memory of encoders.
var pieces = sync.Pool{New: func() any { b := make([]byte, 0, pieceBytes); return &b }}

// respond writes a response, and calls yield before each large piece of it. An error of writing means
// that the client has gone, and is nobody's to know.
func respond(w http.ResponseWriter, res result, query string, yield func()) error {
	if res.data == nil {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	buf := pieces.Get().(*[]byte)
	e := encoder{w: w, buf: (*buf)[:0], yield: yield}
	defer func() {
		*buf = e.buf
		if cap(e.buf) <= maxPooledBytes {
			pieces.Put(buf)
		}
	}()
	e.raw(`{"status":"success","data":`)
	// What can fail is small, and is encoded before the first piece is written.
	if err := e.data(res.data); err != nil {
		return fmt.Errorf("encode the response: %w", err)
	}
	warnings, infos := texts(res.warnings, query)
	e.member("warnings", warnings)
	e.member("infos", infos)
	e.raw("}")
	_ = e.flush()
	return nil
}

// data adds the data of a response.
func (e *encoder) data(data any) error {
	q, ok := data.(queryData)
	if !ok {
		return e.value(data)
	}
	var statistics []byte
	if q.stats != nil {
		var err error
		if statistics, err = json.Marshal(q.stats); err != nil {
			return err
		}
	}
	e.raw(`{"resultType":"`)
	e.raw(string(q.value.Type()))
	e.raw(`","result":`)
	if err := e.value(q.value); err != nil {
		return err
	}
	if statistics != nil {
		e.raw(`,"stats":`)
		e.buf = append(e.buf, statistics...)
	}
	e.raw("}")
	return nil
}

// member adds a member of the response, unless it is empty.
func (e *encoder) member(name string, values []string) {
	if len(values) > 0 {
		e.raw(`,"` + name + `":`)
		_ = e.value(values)
	}
}

// maxAnnotations bounds the warnings of a response, and the infos.
const maxAnnotations = 10

// texts returns the warnings and infos of a response to a query, sorted.
func texts(a annotations.Annotations, query string) (warnings, infos []string) {
	warnings, infos = a.AsStrings(query, 0, 0)
	return most(warnings, "warning"), most(infos, "info")
}

func most(texts []string, what string) []string {
	slices.Sort(texts)
	if more := len(texts) - maxAnnotations; more > 0 {
		texts = append(texts[:maxAnnotations], fmt.Sprintf("%d more %s annotations omitted", more, what))
	}
	return texts
}

// respondError writes an error as the response.
func respondError(w http.ResponseWriter, failure *apiError) {
	var b bytes.Buffer
	// Nothing in it can fail.
	_ = json.NewEncoder(&b).Encode(struct {
		Status string    `json:"status"`
		Type   errorType `json:"errorType"`
		Error  string    `json:"error"`
	}{"error", failure.kind, failure.text})
	w.Header().Set("Content-Type", "application/json")
	if failure.kind == errorUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	w.WriteHeader(failure.status)
	_, _ = w.Write(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}
