package access

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"fodc/messages"
)

// checkHost refuses a request that came by a loopback address under a name that is not of this machine. A web page of
// another site may have given its own name that address: the browser takes what it reads there for that site's.
func (g *Gate) checkHost(r *http.Request) *Refusal {
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if local == nil || !isLoopbackAddr(local) || g.isOwnHost(r.Host) {
		return nil
	}
	return refused(OtherHost, messages.ErrForbidden,
		"host %q is not known to be this machine: ask localhost or an IP address; --external-url of a proxy or an agent allows another host", bounded(r.Host))
}

// isOwnHost reports whether the host of a request leads to this machine whatever name servers say. An IP address does,
// since the browser has connected to it.
func (g *Gate) isOwnHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"), "."))
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return host == "" || host == "localhost" || strings.HasSuffix(host, ".localhost") || slices.Contains(g.hosts, host)
}

func isLoopbackAddr(a net.Addr) bool {
	addr, err := netip.ParseAddrPort(a.String())
	return err == nil && addr.Addr().Unmap().IsLoopback()
}

// maxQuoted bounds what an error quotes of a request.
const maxQuoted = 100

func bounded(text string) string { return text[:min(len(text), maxQuoted)] }
