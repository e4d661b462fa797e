package modes

import (
	"net"
	"testing"
	"time"

	"fodc/messages"
	"fodc/messages/wire"
	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
)

// An agent is the node that its certificate names, and no other one. Both sides say why.
func TestAgentCannotBeANodeThatItsCertificateDoesNotName(t *testing.T) {
	f := func(name, from string, j joining, certificate, refused string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			inIdentityWorld(t, func(_ *testing.T, w *tlsWorld) { w.server.NodeIDFrom = from }, func(t *testing.T, w *tlsWorld) {
				a := w.join(j)
				if refused != "" {
					require.Empty(t, w.online())
					w.requireRefused(a, "certificate", refused)
					return
				}
				require.Equal(t, []string{j.node}, w.online(), w.linkErrorOf(a))
				require.Contains(t, w.get("/cluster"), `"verified":true,"certificate_name":"`+certificate+`"`)
				w.requireWhole()
			})
		})
	}
	ok := ""
	const advice = ": issue a certificate with that name, or register with a name that it has"
	f("a DNS name", "san", joining{node: "data-0", leaf: named("other", "data-0")}, "data-0", ok)
	f("the pod's name, too", "any", joining{node: "data-0.example", pod: "data-0", leaf: named("data-0", "data-0.example")}, "data-0.example", ok)
	f("a wildcard", "any", joining{node: "data-0.example", leaf: named("*.example")}, "*.example", ok)
	f("the end of a URI", "san", joining{node: "data-0", leaf: &certtest.Leaf{URIs: []string{"spiffe://cluster/ns/db/data-0"}}}, "spiffe://cluster/ns/db/data-0", ok)
	f("the common name", "cn", joining{node: "data-0", leaf: &certtest.Leaf{CN: "data-0", DNS: []string{"other"}}}, "data-0", ok)
	f("a certificate of all nodes", "none", joining{node: "data-0", leaf: named("all")}, "all", ok)

	f("another DNS name", "", joining{node: "data-1", leaf: named("data-0")}, "",
		`node_id "data-1" is not in the certificate, which has "data-0" (--grpc-node-id-from any)`+advice)
	f("another pod", "any", joining{node: "data-0", pod: "data-1", leaf: named("data-0")}, "",
		`pod_name "data-1" is not in the certificate, which has "data-0" (--grpc-node-id-from any)`+advice)
	f("two labels for a wildcard", "any", joining{node: "a.data-0.example", leaf: named("*.example")}, "",
		`node_id "a.data-0.example" is not in the certificate, which has "*.example" (--grpc-node-id-from any)`+advice)
	f("the middle of a URI", "any", joining{node: "db", leaf: &certtest.Leaf{URIs: []string{"spiffe://cluster/ns/db/data-0"}}}, "",
		`node_id "db" is not in the certificate, which has "spiffe://cluster/ns/db/data-0" (--grpc-node-id-from any)`+advice)
	f("the common name is not asked for", "san", joining{node: "data-0", leaf: &certtest.Leaf{CN: "data-0", DNS: []string{"other"}}}, "",
		`node_id "data-0" is not in the certificate, which has "other" (--grpc-node-id-from san)`+advice)
	f("only the common name is asked for", "cn", joining{node: "data-0", leaf: &certtest.Leaf{CN: "other", DNS: []string{"data-0"}}}, "",
		`node_id "data-0" is not in the certificate, which has "other" (--grpc-node-id-from cn)`+advice)
	f("no name", "any", joining{node: "data-0", leaf: &certtest.Leaf{}}, "",
		`node_id "data-0" is not in the certificate, which has no name (--grpc-node-id-from any)`+advice)
	f("other letters", "any", joining{node: "DATA-0", leaf: named("data-0")}, "",
		`node_id "DATA-0" is not in the certificate, which has "data-0" (--grpc-node-id-from any)`+advice)
}

// Another certificate that may be the node does not get it while it is online. The same one does, and so does a new one with its name.
func TestAgentCannotTakeNodeFromAnotherCertificate(t *testing.T) {
	inIdentityWorld(t, nothing, func(t *testing.T, w *tlsWorld) {
		owner := w.join(joining{node: "a.example", leaf: named("a.example")})
		thief := w.join(joining{node: "a.example", leaf: named("*.example")})
		w.requireRefused(thief, "conflict", `node_id "a.example" is online from an agent with the certificate of "a.example", and cannot be registered `+
			`by one whose certificate has "*.example" as well: give each node a --node-id of its own; if it is the same node, its old session has to expire first`)
		require.EqualValues(t, 1, w.opened())
		require.Empty(t, w.linkErrorOf(owner))
		require.NoError(t, thief.agent.Stop(t.Context()))

		renewed := w.client(stranger(w.ca.Issue(t, *named("a.example", "more.example"))))
		_, welcome := w.register(t.Context(), renewed, &wire.RegisterAgentRequest{NodeId: "a.example"})
		require.True(t, welcome.GetSuccess(), welcome.GetMessage())
		require.EqualValues(t, 2, w.opened())
	})
}

// Where certificates are optional, who has none gets no node of one who has one, online or not, by its node id or its pod name.
func TestAgentWithoutCertificateCannotTakeNodeOfOneWith(t *testing.T) {
	inIdentityWorld(t, certificatesOptional, func(t *testing.T, w *tlsWorld) {
		owner := w.join(joining{node: "a", pod: "pod-a", leaf: named("a", "pod-a")})
		try := func() {
			t.Helper()
			for _, c := range []struct{ id, pod, claimed string }{{"a", "", `node_id "a"`}, {"x", "pod-a", `pod_name "pod-a"`}, {"pod-a", "", `node_id "pod-a"`}} {
				s, welcome := w.register(t.Context(), w.client(withoutCertificate()), &wire.RegisterAgentRequest{NodeId: c.id, PodName: c.pod})
				require.False(t, welcome.GetSuccess())
				require.Equal(t, c.claimed+" belongs to a node whose agent has a certificate, and cannot be registered without one", welcome.GetMessage())
				_, err := s.Recv()
				require.ErrorContains(t, err, "PermissionDenied")
			}
		}
		try()
		require.Equal(t, []string{"a"}, w.online())
		require.EqualValues(t, 3, w.counts().Refused["unverified"])
		w.net.refuse.Store(true)
		w.net.cut()
		w.pass(10 * time.Second)
		require.Empty(t, w.online())
		w.net.refuse.Store(false)
		try()
		w.pass(30 * time.Second)
		require.Equal(t, []string{"a"}, w.online(), w.linkErrorOf(owner))
	})
}

// A baseline agent that came first has to go when an agent with a certificate comes for its names.
func TestAgentWithoutCertificateCannotKeepNamesOfOneWith(t *testing.T) {
	inIdentityWorld(t, certificatesOptional, func(t *testing.T, w *tlsWorld) {
		squatter, _ := w.register(t.Context(), w.client(withoutCertificate()), &wire.RegisterAgentRequest{NodeId: "x", PodName: "pod-a"})
		require.Equal(t, []string{"x"}, w.online())
		w.join(joining{node: "a", pod: "pod-a", leaf: named("a", "pod-a")})
		_, err := squatter.Recv()
		require.ErrorContains(t, err, "an agent with a certificate has the node id or the pod name")
		require.Equal(t, []string{"a"}, w.online())
	})
}

// A baseline agent works where certificates are optional, and is marked.
func TestBaselineAgentWithoutCertificateIsMarked(t *testing.T) {
	inIdentityWorld(t, certificatesOptional, func(t *testing.T, w *tlsWorld) {
		w.join(joining{node: "a", leaf: named("a")})
		conn := w.client(withoutCertificate())
		_, welcome := w.register(t.Context(), conn, &wire.RegisterAgentRequest{PodName: "data-0"})
		require.True(t, welcome.GetSuccess(), welcome.GetMessage())
		w.answer(conn, welcome.GetAgentId(), "baseline", 7)
		w.pass(time.Second)
		require.Len(t, linesOf(w.get("/metrics"), "baseline{"), 1)
		var cluster struct {
			Nodes []struct {
				NodeID          string `json:"node_id"`
				Verified        bool
				CertificateName string `json:"certificate_name"`
			}
		}
		w.getJSON("/cluster", &cluster)
		require.Len(t, cluster.Nodes, 2)
		require.Equal(t, map[string]bool{"a": true, "data-0": false}, map[string]bool{
			cluster.Nodes[0].NodeID: cluster.Nodes[0].Verified, cluster.Nodes[1].NodeID: cluster.Nodes[1].Verified})
		require.Equal(t, []string{"fodc_proxy_agents_unverified 1"}, linesOf(w.get("/metrics/self"), "fodc_proxy_agents_unverified"))
	})
}

// The agent of a standalone process is let in whatever is required, with any name.
func TestAgentOfThisProcessIsNotLockedOut(t *testing.T) {
	for _, from := range nodeIDFrom() {
		inIdentityWorld(t, func(t *testing.T, w *tlsWorld) {
			wantTokens("others", "secret")(t, w)
			w.server.NodeIDFrom, w.server.localNode = from, "node é/1"
		}, func(t *testing.T, w *tlsWorld) {
			own := w.startAgent(messages.Registration{NodeID: "node é/1", PodName: "pod", Role: "standalone"}, w.secured.local())
			w.pass(time.Second)
			w.requireOnline(1)
			w.trust("clients", certtest.NewCA(t, "other"))
			w.writeTokens("others", "another")
			w.pass(10 * time.Second)
			w.net.cut()
			w.pass(10 * time.Second)
			w.requireOnline(1)
			w.requireWhole()
			require.EqualValues(t, 2, w.opened(), w.linkErrorOf(own))
		})
	}
}

// What the log says at the start of a proxy to which all may connect, or whose tokens may be read.
func TestOpenProxySaysSo(t *testing.T) {
	everywhere, loopback := &net.TCPAddr{Port: 1}, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}
	f := func(c GRPCTLSConfig, open, readable string) {
		t.Helper()
		require.Empty(t, c.open(loopback)+c.readable(loopback))
		for _, says := range [][2]string{{open, c.open(everywhere)}, {readable, c.readable(everywhere)}} {
			require.Equal(t, says[0] == "", says[1] == "")
			require.Contains(t, says[1], says[0])
		}
	}
	f(GRPCTLSConfig{}, "agents connect without TLS: who can reach --grpc-listen-addr may register", "")
	f(GRPCTLSConfig{TokenFile: "t"}, "", "agents show tokens without TLS: who is between may read them")
	f(GRPCTLSConfig{CertFile: "c"}, "need no certificate: who can reach --grpc-listen-addr may register", "")
	f(GRPCTLSConfig{CertFile: "c", TokenFile: "t"}, "", "")
	f(GRPCTLSConfig{CertFile: "c", ClientCAFile: "a"}, "", "")
	f(GRPCTLSConfig{CertFile: "c", ClientCAFile: "a", ClientAuth: clientAuthOptional}, "as --grpc-client-auth is optional", "")
	f(GRPCTLSConfig{CertFile: "c", ClientCAFile: "a", ClientAuth: clientAuthOptional, TokenFile: "t"}, "", "")
}
