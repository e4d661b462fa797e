package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

const (
	contentText        = "text/plain; version=0.0.4; charset=utf-8"
	contentOpenMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8"
	// escapingUTF8 follows the type of a page whose names may be of UTF-8.
	escapingUTF8 = "; escaping=allow-utf-8"
	// contentTextUTF8 is the first version of the text that may have such names.
	contentTextUTF8 = "text/plain; version=1.0.0; charset=utf-8" + escapingUTF8
	contentJSON     = "application/json"
	// contentBytes is a file, such as a profile.
	contentBytes = "application/octet-stream"
	contentHTML  = "text/html; charset=utf-8"
	// contentPlain is text that is not a page of metrics.
	contentPlain = "text/plain; charset=utf-8"
)

// writeJSON sends the value as the response. If it cannot be encoded nothing is written.
func writeJSON(w http.ResponseWriter, status int, value any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return fmt.Errorf("encode the response: %w", err)
	}
	return writeBody(w, status, contentJSON, b.Bytes())
}

func writeBody(w http.ResponseWriter, status int, contentType string, body []byte) error {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		return fmt.Errorf("write the response: %w", err)
	}
	return nil
}

// jsonTime returns the time as JSON responses show it: in UTC, in whole milliseconds. The
// zero time stays zero, for omitzero.
func jsonTime(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Millisecond)
}
