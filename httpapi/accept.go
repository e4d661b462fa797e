package httpapi

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"fodc/httpapi/exposition"
)

// The values of the parameter format.
const (
	formatText        = "text"
	formatJSON        = "json"
	formatOpenMetrics = "openmetrics"
)

// format returns formatText or formatJSON: what the parameter says, else what the
// Accept header names, else the route's own. A wildcard in the header names
// nothing; of two formats named as strongly the other than the route's own wins,
// since most clients that do not care name none. Only the parameter can ask for one
// of more: Prometheus, which names OpenMetrics first, would lose the types of the
// counters that do not end in _total.
func (p params) format(w http.ResponseWriter, r *http.Request, own, other string, more ...string) (string, error) {
	said, err := p.choice("format", append([]string{formatText, formatJSON}, more...)...)
	if said != "" || err != nil {
		return said, err
	}
	w.Header().Add("Vary", "Accept")
	accept := strings.Join(r.Header.Values("Accept"), ",")
	weight := map[string]float64{formatText: named(accept, "text/plain"), formatJSON: named(accept, contentJSON)}
	if weight[other] > 0 && weight[other] >= weight[own] {
		return other, nil
	}
	return own, nil
}

// allowsUTF8 reports whether the client knows names of UTF-8, as Prometheus 3 says it
// does. To one that says nothing, such as Prometheus 2, a page with them is not a page.
func allowsUTF8(w http.ResponseWriter, r *http.Request) bool {
	w.Header().Add("Vary", "Accept")
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept"), ","), ",") {
		if _, attributes, err := mime.ParseMediaType(part); err == nil && attributes["escaping"] == "allow-utf-8" {
			return true
		}
	}
	return false
}

// textFor returns the content type of a text page, with names that the client can read.
func textFor(w http.ResponseWriter, r *http.Request) (content string, o exposition.Options) {
	if allowsUTF8(w, r) {
		return contentTextUTF8, exposition.Options{}
	}
	return contentText, exposition.Options{EscapedNames: true}
}

// named returns the weight (q) that the Accept header gives to the media type by
// its name, 0 if it does not.
func named(accept, mediaType string) float64 {
	best := 0.0
	for part := range strings.SplitSeq(accept, ",") {
		name, attributes, err := mime.ParseMediaType(part)
		if err != nil || name != mediaType {
			continue
		}
		q := 1.0
		if text, ok := attributes["q"]; ok {
			if q, err = strconv.ParseFloat(text, 64); err != nil {
				continue
			}
		}
		best = max(best, q)
	}
	return best
}
