package httpapi

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"fodc/httpapi/access"
	"fodc/messages"
)

// forwardedHeaders are those by which a reverse proxy shows itself.
var forwardedHeaders = []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"}

// checkActor returns an error unless the client may change something. Where clients show who they are, the gate has
// decided that. Elsewhere the place where the connection comes from decides, never what a header says; a header can only be
// a reason to refuse. Web pages of other sites do not come so far.
func (i *Incidents) checkActor(r *http.Request) error {
	if _, known := access.Of(r); known || i.AllowRemoteActions {
		return nil
	}
	const hint = "; --allow-remote-actions allows it to all who reach this port"
	addr, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !addr.Addr().Unmap().IsLoopback() {
		return forbidden("only clients on this machine may change something, by a loopback address" + hint)
	}
	for _, name := range forwardedHeaders {
		if len(r.Header.Values(name)) > 0 {
			return forbidden("the request came through a proxy, as its header " + name + " says, and only clients on this machine may change something" + hint)
		}
	}
	// A page of another site may have a name that leads to this machine.
	if !isLoopbackHost(r.Host) {
		return messages.Errorf(messages.ErrForbidden, "host %q: who changes something must ask localhost or a loopback address%s", truncated(r.Host), hint)
	}
	return nil
}

func forbidden(text string) error { return messages.Errorf(messages.ErrForbidden, "%s", text) }

// isLoopbackHost reports whether the host of a request, with or without a port, is this machine, whatever name
// servers say.
func isLoopbackHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// maxActorBytes bounds the text that says who has asked.
const maxActorBytes = 200

// actorOf says who has made a request: the name that it has shown to be its own, else its address, and the program that it
// claims to be.
func actorOf(r *http.Request) string {
	if known, ok := access.Of(r); ok {
		name := printableASCII(known.Name)
		return name[:min(len(name), maxActorBytes)]
	}
	who, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		who = r.RemoteAddr
	}
	if agent := printableASCII(r.UserAgent()); agent != "" {
		who += " (" + agent + ")"
	}
	return who[:min(len(who), maxActorBytes)]
}

func printableASCII(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return '_'
		}
		return c
	}, text)
}
