package proxy

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// certificateOf returns a certificate with names as dns:NAME, uri:URI and cn:NAME. It is not signed.
func certificateOf(names ...string) *x509.Certificate {
	c := &x509.Certificate{Raw: []byte(strings.Join(names, "\n"))}
	for _, name := range names {
		kind, text, _ := strings.Cut(name, ":")
		switch kind {
		case "dns":
			c.DNSNames = append(c.DNSNames, text)
		case "cn":
			c.Subject = pkix.Name{CommonName: text}
		case "uri":
			if u, err := url.Parse(text); err == nil {
				c.URIs = append(c.URIs, u)
			}
		}
	}
	return c
}

// Which node an agent may be by which name of its certificate; no name: it may not.
func TestAgentCannotBeNodeThatIsNotInItsCertificate(t *testing.T) {
	const san, cn, any, none = NodeIDFromSAN, NodeIDFromCN, NodeIDFromAny, NodeIDFromNone
	for _, c := range []struct {
		names string
		from  NodeIDFrom
		id    string
		by    string
	}{
		// DNS names.
		{"dns:data-0", san, "data-0", "data-0"},
		{"dns:data-0", any, "data-0", "data-0"},
		{"dns:data-0", "", "data-0", "data-0"},
		{"dns:data-0", cn, "data-0", ""},
		{"dns:data-0", any, "data-1", ""},
		{"dns:data-0", any, "data-00", ""},
		{"dns:data-0", any, "data-", ""},
		{"dns:data-0", any, "DATA-0", ""},
		{"dns:data-0", any, "data-0.", ""},
		{"dns:data-0", any, " data-0", ""},
		{"dns:data-0", any, "", ""},
		{"dns:data-0.ns.svc", any, "data-0", ""},
		{"dns:data-0", any, "data-0.ns.svc", ""},
		{"dns:a dns:data-0", any, "data-0", "data-0"},
		// Wildcards stand for one label.
		{"dns:*.ns.svc", any, "data-0.ns.svc", "*.ns.svc"},
		{"dns:*.ns.svc dns:data-0.ns.svc", any, "data-0.ns.svc", "data-0.ns.svc"},
		{"dns:*.ns.svc", any, "a.data-0.ns.svc", ""},
		{"dns:*.ns.svc", any, ".ns.svc", ""},
		{"dns:*.ns.svc", any, "ns.svc", ""},
		{"dns:*.ns.svc", any, "*.ns.svc", ""},
		{"dns:*.ns.svc", any, "a/b.ns.svc", ""},
		{"dns:*.ns.svc", any, "a:1.ns.svc", ""},
		{"dns:*.ns.svc", any, "é.ns.svc", ""},
		{"dns:*.ns.svc", any, "data-0.other.svc", ""},
		{"dns:*.ns.svc", cn, "data-0.ns.svc", ""},
		{"dns:*", any, "data-0", ""},
		{"dns:*", any, "*", ""},
		{"dns:*.", any, "data-0.", ""},
		{"dns:*.*", any, "a.b", ""},
		{"dns:*.*.svc", any, "a.b.svc", ""},
		{"dns:*.*.svc", any, "a.*.svc", ""},
		{"dns:data-*", any, "data-0", ""},
		{"dns:data-*", any, "data-*", ""},
		{"dns:d*.ns.svc", any, "data-0.ns.svc", ""},
		// URIs: the whole, or the end of the path.
		{"uri:spiffe://cluster/node/data-0", san, "spiffe://cluster/node/data-0", "spiffe://cluster/node/data-0"},
		{"uri:spiffe://cluster/node/data-0", san, "data-0", "spiffe://cluster/node/data-0"},
		{"uri:spiffe://cluster/node/data-0", cn, "data-0", ""},
		{"uri:spiffe://cluster/node/data-0", any, "node", ""},
		{"uri:spiffe://cluster/node/data-0", any, "node/data-0", ""},
		{"uri:spiffe://cluster/node/data-0", any, "cluster", ""},
		{"uri:spiffe://cluster/node/data-0", any, "spiffe://cluster/node/data-1", ""},
		{"uri:spiffe://cluster/node/data-0/", any, "data-0", ""},
		{"uri:spiffe://cluster/node/data-0/", any, "", ""},
		{"uri:spiffe://cluster/node%2Fdata-0", any, "data-0", ""},
		{"uri:spiffe://cluster/node%2Fdata-0", any, "node/data-0", ""},
		{"uri:spiffe://cluster/x?/data-0", any, "data-0", ""},
		{"uri:spiffe://cluster/x?y=/data-0", any, "x", ""},
		{"uri:spiffe://cluster/x#/data-0", any, "data-0", ""},
		{"uri:spiffe://data-0", any, "data-0", ""},
		{"uri:spiffe://x@data-0/y", any, "data-0", ""},
		{"uri:urn:node:data-0", any, "data-0", ""},
		{"uri:urn:node:data-0", any, "urn:node:data-0", "urn:node:data-0"},
		{"uri:spiffe://cluster/node/*", any, "data-0", ""},
		// The common name.
		{"cn:data-0", cn, "data-0", "data-0"},
		{"cn:data-0", any, "data-0", "data-0"},
		{"cn:data-0", san, "data-0", ""},
		{"cn:*.ns.svc", any, "data-0.ns.svc", ""},
		{"cn:data-1 dns:data-0", any, "data-1", "data-1"},
		{"cn:data-1 dns:data-0", san, "data-1", ""},
		{"cn:data-1 dns:data-0", cn, "data-0", ""},
		// No name at all, and names that no node can have.
		{"", any, "data-0", ""},
		{"", any, "", ""},
		{"dns:", any, "", ""},
		{"dns:data\x000", any, "data\x000", ""},
		{"cn:data\n0", any, "data\n0", ""},
		// All may be all.
		{"dns:shared", none, "data-0", "shared"},
		{"cn:shared", none, "data-0", "shared"},
		{"uri:spiffe://cluster/all", none, "data-0", "spiffe://cluster/all"},
		{"", none, "data-0", "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	} {
		of := certificateNamesOf(certificateOf(strings.Split(c.names, " ")...))
		by, ok := of.nameFor(c.id, c.from)
		require.Equal(t, c.by, by, "%q %q %q", c.names, c.from, c.id)
		require.Equal(t, c.by != "", ok, "%q %q %q", c.names, c.from, c.id)
		if ok {
			require.True(t, of.has(by, c.from), "an agent that is started again has the same name")
		}
	}
}

func TestNamesOfCertificatesInErrors(t *testing.T) {
	text := func(from NodeIDFrom, names ...string) string {
		return certificateNamesOf(certificateOf(names...)).text(from)
	}
	require.Equal(t, `"a", "spiffe://c/b", "c"`, text("", "dns:a", "uri:spiffe://c/b", "cn:c"))
	require.Equal(t, `"a", "spiffe://c/b"`, text(NodeIDFromSAN, "dns:a", "uri:spiffe://c/b", "cn:c"))
	require.Equal(t, `"c"`, text(NodeIDFromCN, "dns:a", "uri:spiffe://c/b", "cn:c"))
	require.Equal(t, "no name", text(NodeIDFromCN, "dns:a"))
	var many []string
	for i := range 1000 {
		many = append(many, fmt.Sprintf("dns:%d%s", i, strings.Repeat("x", 1000)))
	}
	require.Contains(t, text("", many...), " and 995 more")
	require.Less(t, len(text("", many...)), 2000)
	require.Equal(t, `"<b>"`, text("", "cn:<b>"))
	require.Equal(t, "no name", text("", "cn:a\u202e", "dns:a\u200b"), "no node can have them")
}

// Whatever names a certificate has, its owner cannot be a node that is in none of them.
func FuzzNodeIDIsInTheCertificate(f *testing.F) {
	f.Add("data-0", "*.ns.svc", "spiffe://cluster/node/data-0", "cn", "data-0")
	f.Add("data-0.ns.svc", "*.ns.svc", "urn:a:b", "", "x.ns.svc")
	f.Add("*", "*.*", "spiffe://a/b%2Fc", "*.x", "c")
	f.Fuzz(func(t *testing.T, dns, dns2, uri, cn, id string) {
		c := certificateOf("dns:"+dns, "dns:"+dns2, "uri:"+uri, "cn:"+cn)
		of := certificateNamesOf(c)
		for _, from := range []NodeIDFrom{"", NodeIDFromAny, NodeIDFromSAN, NodeIDFromCN} {
			by, ok := of.nameFor(id, from)
			if !ok {
				require.Empty(t, by)
				continue
			}
			require.NotEmpty(t, id)
			_, behind, _ := strings.Cut(id, ".")
			allowed := map[string]bool{}
			if from != NodeIDFromCN {
				for _, name := range c.DNSNames {
					allowed[name] = name == id || name == "*."+behind
				}
				for _, u := range c.URIs {
					allowed[u.String()] = u.String() == id || strings.HasSuffix(u.String(), "/"+id)
				}
			}
			if from != NodeIDFromSAN && cn == id {
				allowed[cn] = true
			}
			require.True(t, allowed[by], "%q by %q", id, by)
			require.True(t, of.has(by, from))
			require.True(t, messages.CanBeNodeID(id))
		}
	})
}
