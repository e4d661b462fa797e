package agent

import (
	"net"
	"net/http"
	"net/url"
	"strings"
)

// maxRedirects is how many redirects of one request are followed.
const maxRedirects = 5

// checkRedirect is the policy of all requests to the node's endpoints: redirects are
// followed within the scheme, host and port that were asked. Whoever answers in the name
// of an endpoint cannot make the agent ask others, nor get the endpoint's password told to
// them. The request's timeout covers all of its redirects.
func checkRedirect(to *http.Request, before []*http.Request) error {
	asked := before[0].URL
	if !sameHost(asked, to.URL) {
		return failuref(failedStatus, "the endpoint answered %s with a redirect to another host: from %s to %s",
			to.Response.Status, hostOf(asked), hostOf(to.URL))
	}
	if len(before) > maxRedirects {
		return failuref(failedStatus, "the endpoint redirects on and on: at most %d redirects are followed, the next is to %s",
			maxRedirects, shown(to.URL.Path))
	}
	to.URL.User = asked.User // which a redirect in full leaves out
	return nil
}

func sameHost(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && portOf(a) == portOf(b)
}

// portOf returns the port of a URL, also where that does not say it.
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

// hostOf returns what has to be the same, for people.
func hostOf(u *url.URL) string {
	return shown(u.Scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), portOf(u)))
}

// shown is a text of an endpoint at a modest length.
func shown(text string) string {
	if len(text) > maxShownText {
		return text[:maxShownText] + "..."
	}
	return text
}
