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

// format returns the format of the response: that of the parameter, else that of the Accept
// header, else the route's default. def and alternative are formatText and formatJSON, in
// either order. A wildcard in the header counts for neither; of two formats with the same
// weight the alternative wins, since most clients that want the default name none. The formats
// of more are those that only the parameter can ask for: Prometheus, which names OpenMetrics
// first in its header, would lose the types of the counters that do not end in _total.
func (p params) format(w http.ResponseWriter, r *http.Request, def, alternative string, more ...string) (string, error) {
	asked, err := p.choice("format", append([]string{formatText, formatJSON}, more...)...)
	if asked != "" || err != nil {
		return asked, err
	}
	w.Header().Add("Vary", "Accept")
	accept := strings.Join(r.Header.Values("Accept"), ",")
	weight := map[string]float64{formatText: acceptWeight(accept, "text/plain"), formatJSON: acceptWeight(accept, contentJSON)}
	if weight[alternative] > 0 && weight[alternative] >= weight[def] {
		return alternative, nil
	}
	return def, nil
}

// allowsUTF8 reports whether the client says that it reads names of UTF-8, as Prometheus 3
// does. One that does not, such as Prometheus 2, refuses a page with such names.
func allowsUTF8(w http.ResponseWriter, r *http.Request) bool {
	w.Header().Add("Vary", "Accept")
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept"), ","), ",") {
		if _, attributes, err := mime.ParseMediaType(part); err == nil && attributes["escaping"] == "allow-utf-8" {
			return true
		}
	}
	return false
}

// textFor returns the content type of a text page for the client, and the options that give
// it names which the client reads.
func textFor(w http.ResponseWriter, r *http.Request) (content string, o exposition.Options) {
	if allowsUTF8(w, r) {
		return contentTextUTF8, exposition.Options{}
	}
	return contentText, exposition.Options{EscapedNames: true}
}

// acceptWeight returns the weight (q) of the media type in the Accept header, 0 if it is not
// named there.
func acceptWeight(accept, mediaType string) float64 {
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
