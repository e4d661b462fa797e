package agent

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// maxRedirects is how many redirects are followed for one scrape.
const maxRedirects = 5

// checkRedirect is the policy for all requests to the node's endpoints: redirects are followed
// within the scheme, host and port of the endpoint. So an endpoint cannot make the agent send
// requests, or the endpoint's password, to another host. The timeout of the request covers
// its redirects.
func checkRedirect(to *http.Request, before []*http.Request) error {
	asked := before[0].URL
	if !sameHost(asked, to.URL) {
		return failuref(failedStatus, "the endpoint answered %s with a redirect to another host: from %s to %s",
			to.Response.Status, hostOf(asked), hostOf(to.URL))
	}
	if len(before) > maxRedirects {
		return failuref(failedStatus, "the endpoint answered with too many redirects: at most %d are followed, the next is to %s",
			maxRedirects, shown(to.URL.Path))
	}
	to.URL.User = asked.User // an absolute Location has none
	return nil
}

// redirectTransport refuses redirects whose Location is not a URL. The client of net/http
// refuses them as well, with an error that cannot be told from that of a broken connection.
type redirectTransport struct{ http.RoundTripper }

// CloseIdleConnections lets the client close connections that nobody uses.
func (t redirectTransport) CloseIdleConnections() {
	if c, ok := t.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func (t redirectTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.RoundTripper.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if _, err := resp.Location(); isRedirect(resp.StatusCode) && err != nil && !errors.Is(err, http.ErrNoLocation) {
		_ = resp.Body.Close()
		return nil, failuref(failedStatus, "the endpoint answered %s with a Location that is not a URL: %q",
			resp.Status, shown(resp.Header.Get("Location")))
	}
	return resp, nil
}

// isRedirect reports whether the client of net/http follows a redirect with the status.
func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	default:
		return false
	}
}

func sameHost(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && portOf(a) == portOf(b)
}

// portOf returns the port of a URL, or that of its scheme.
func portOf(u *url.URL) string {
	switch port := u.Port(); {
	case port != "":
		return port
	case u.Scheme == "https":
		return "443"
	default:
		return "80"
	}
}

// hostOf returns scheme, host and port for error messages.
func hostOf(u *url.URL) string {
	return shown(u.Scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), portOf(u)))
}

// shown returns a text of an endpoint for error messages, cut after maxShownText bytes.
func shown(text string) string {
	if len(text) > maxShownText {
		return text[:maxShownText] + "..."
	}
	return text
}
