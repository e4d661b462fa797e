package httpconfig

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// maxRedirects is how many redirects are followed for one request.
const maxRedirects = 5

// redirects returns the policy for redirects: those within the host are followed, or none. So what lets the client in is
// never sent to another host.
func redirects(follow bool) func(*http.Request, []*http.Request) error {
	return func(to *http.Request, before []*http.Request) error {
		asked := before[0].URL
		switch {
		case !follow:
			return http.ErrUseLastResponse
		case hostOf(asked) != hostOf(to.URL):
			return fmt.Errorf("a redirect to another host, which is not followed: from %s to %s", hostOf(asked), hostOf(to.URL))
		case len(before) > maxRedirects:
			return fmt.Errorf("too many redirects: at most %d are followed", maxRedirects)
		}
		return nil
	}
}

// hostOf returns the scheme, host and port of a URL.
func hostOf(u *url.URL) string {
	host := strings.ToLower(u.Host)
	if u.Port() == "" {
		host = strings.TrimSuffix(host, ":") + map[string]string{"http": ":80", "https": ":443"}[u.Scheme]
	}
	return fmt.Sprintf("%.200s", u.Scheme+"://"+host)
}
