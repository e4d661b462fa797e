//go:build e2e && linux

package modes_test

import (
	"testing"

	"fodc/messages/wire"
	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// TestE2EWhoMayBeWhichNode registers nodes with certificates that name them, and that do not, at a proxy of each rule.
func TestE2EWhoMayBeWhichNode(t *testing.T) {
	t.Parallel()
	dir, ca := t.TempDir(), certtest.NewCA(t, "cluster")
	trusted := ca.Write(t, dir, "ca")
	cert, key := ca.Issue(t, certtest.Leaf{IPs: []string{"127.0.0.1"}}).Write(t, dir, "proxy")
	flags := []string{"--grpc-tls-cert-file", cert, "--grpc-tls-key-file", key, "--grpc-client-ca-file", trusted}
	proxies := map[string]*process{}
	for _, rule := range []string{"any", "san", "cn", "none"} {
		proxies[rule] = startProxy(t, append(flags, "--grpc-node-id-from", rule)...)
	}
	optional := startProxy(t, append(flags, "--grpc-client-auth", "optional")...)
	s := &secured{t: t, ca: ca}
	join := func(t *testing.T, proxy *process, l *certtest.Leaf, id, pod string) (*joined, error) {
		creds := s.trusting()
		if l != nil {
			creds = s.trusting(ca.Issue(t, *l).TLS)
		}
		return registerWith(t, s.with(t).dialFrom("127.0.0.1", proxy, creds), "", &wire.RegisterAgentRequest{NodeId: id, PodName: pod})
	}
	uri := &certtest.Leaf{URIs: []string{"spiffe://cluster/ns/db/data-4"}}
	for _, c := range []struct {
		name    string
		rule    string
		leaf    *certtest.Leaf
		id, pod string
		let     bool
	}{
		{"a DNS name", "any", &certtest.Leaf{CN: "x", DNS: []string{"data-1"}}, "data-1", "", true},
		{"the common name", "any", &certtest.Leaf{CN: "data-2", DNS: []string{"x"}}, "data-2", "", true},
		{"a wildcard", "any", &certtest.Leaf{DNS: []string{"*.db.example"}}, "data-3.db.example", "", true},
		{"the end of a URI", "san", uri, "data-4", "", true},
		{"node id and pod name", "san", &certtest.Leaf{DNS: []string{"data-5", "pod-5"}}, "data-5", "pod-5", true},
		{"the common name is asked for", "cn", &certtest.Leaf{CN: "data-6", DNS: []string{"x"}}, "data-6", "", true},
		{"a certificate that nodes share", "none", &certtest.Leaf{CN: "all"}, "data-7", "", true},

		{"another DNS name", "any", &certtest.Leaf{DNS: []string{"data-1"}}, "data-11", "", false},
		{"the begin of a name", "any", &certtest.Leaf{DNS: []string{"data-11"}}, "data-1", "", false},
		{"the node id of the certificate, another pod name", "any", &certtest.Leaf{DNS: []string{"data-12"}}, "data-12", "pod-5", false},
		{"two labels for a wildcard", "any", &certtest.Leaf{DNS: []string{"*.db.example"}}, "a.b.db.example", "", false},
		{"the wildcard itself", "any", &certtest.Leaf{DNS: []string{"*.db.example"}}, "*.db.example", "", false},
		{"the middle of a URI", "san", uri, "db", "", false},
		{"the common name, where it does not count", "san", &certtest.Leaf{CN: "data-13", DNS: []string{"x"}}, "data-13", "", false},
		{"a DNS name, where only the common name counts", "cn", &certtest.Leaf{CN: "x", DNS: []string{"data-14"}}, "data-14", "", false},
		{"other letters", "any", &certtest.Leaf{DNS: []string{"data-15"}}, "DATA-15", "", false},
		{"a blank behind the name", "any", &certtest.Leaf{DNS: []string{"data-15"}}, "data-15 ", "", false},
		{"no name at all", "any", &certtest.Leaf{}, "data-16", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := join(t, proxies[c.rule], c.leaf, c.id, c.pod)
			if c.let {
				require.NoError(t, err)
				return
			}
			require.Equal(t, codes.PermissionDenied, status.Code(err), "%v", err)
			require.ErrorContains(t, err, "certificate")
		})
	}
	t.Run("certificate_cannot_take_the_node_of_another_one", func(t *testing.T) {
		_, err := join(t, proxies["any"], &certtest.Leaf{DNS: []string{"a.db.example"}}, "a.db.example", "")
		require.NoError(t, err)
		_, err = join(t, proxies["any"], &certtest.Leaf{DNS: []string{"*.db.example"}}, "a.db.example", "")
		require.ErrorContains(t, err, "is online from an agent with the certificate of")
	})
	t.Run("shared_certificate_cannot_take_a_node_from_elsewhere", func(t *testing.T) {
		shared := certtest.Leaf{CN: "all"}
		_, err := join(t, proxies["none"], &shared, "data-8", "")
		require.NoError(t, err)
		_, err = registerWith(t, s.with(t).dialFrom("127.0.0.66", proxies["none"], s.trusting(ca.Issue(t, shared).TLS)), "", &wire.RegisterAgentRequest{NodeId: "data-8"})
		require.ErrorContains(t, err, "is online from")
	})
	t.Run("agent_without_certificate_cannot_take_the_node_of_one_with", func(t *testing.T) {
		_, err := join(t, optional, &certtest.Leaf{DNS: []string{"data-1", "pod-1"}}, "data-1", "pod-1")
		require.NoError(t, err)
		for _, c := range [][2]string{{"data-1", ""}, {"x", "pod-1"}, {"pod-1", ""}} {
			_, err = join(t, optional, nil, c[0], c[1])
			require.Equal(t, codes.PermissionDenied, status.Code(err), "%v", err)
		}
		_, err = join(t, optional, nil, "data-2", "")
		require.NoError(t, err, "a node of its own")
	})
}
