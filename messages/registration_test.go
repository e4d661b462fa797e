package messages

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func validRegistration() Registration {
	return Registration{NodeID: "n1", Role: "liaison", PodName: "p1", Primary: Address{"10.0.0.1", 17912}}
}

func TestValidRegistrations(t *testing.T) {
	f := func(change func(r *Registration)) {
		t.Helper()
		r := validRegistration()
		change(&r)
		require.NoError(t, r.Validate())
	}
	f(func(*Registration) {})
	f(func(r *Registration) { *r = Registration{Role: "ROLE_DATA", NodeID: "n1"} })
	f(func(r *Registration) { *r = Registration{Role: "meta", PodName: "p1"} })
	f(func(r *Registration) { *r = Registration{Role: "meta", Primary: Address{"::1", 1}} })
	f(func(r *Registration) { r.Role = RoleUnspecified })
	f(func(r *Registration) { r.Role = "a-_9" })
	f(func(r *Registration) { r.NodeID = strings.Repeat("é", MaxTextBytes/2) })
	f(func(r *Registration) { r.NodeID = `a node "of" ours\` })
	f(func(r *Registration) { r.Primary = Address{"2001:db8::7", maxPort} })
	f(func(r *Registration) { r.Primary = Address{"fe80::1%eth0", 1} })
	f(func(r *Registration) { r.Primary = Address{"node-1.banyandb.svc.cluster.local", 17912} })
	f(func(r *Registration) { r.Primary = Address{"data_1", 17912} })
	f(func(r *Registration) { r.Primary = Address{"10.0.0.1.nip.io.", 17912} })
	f(func(r *Registration) { r.Labels = map[string]string{"topology.kubernetes.io/zone": "a\nb", "x": ""} })
	f(func(r *Registration) { r.Labels = numbered(maxNodeLabels, "v") })
	f(func(r *Registration) { r.ContainerNames = make([]string, maxContainerNames) })
	f(func(r *Registration) { r.Secondary = numbered(maxSecondaryAddresses, Address{"10.0.0.1", 1}) })
	f(func(r *Registration) { r.Labels = listOf(MaxListBytes) })
	f(func(r *Registration) {
		r.ContainerNames = slices.Collect(maps.Values(listOf(MaxListBytes - 4*len("k0"))))
	})
	f(func(r *Registration) { r.Runtime = &Runtime{Health: HealthUnreachable} })
	f(func(r *Registration) { r.Runtime = &Runtime{Load: 0.5} })
}

func TestInvalidRegistrationsSayWhy(t *testing.T) {
	f := func(change func(r *Registration), want string) {
		t.Helper()
		r := validRegistration()
		change(&r)
		err := r.Validate()
		var said *Error
		require.True(t, errors.As(err, &said))
		require.Equal(t, ErrBadData, said.Kind)
		require.Equal(t, want, said.Text)
	}
	long := strings.Repeat("x", MaxTextBytes+1)
	shown := `"` + long[:100] + `"`
	const role = ": a letter, then letters, digits, - and _ are allowed"

	f(func(r *Registration) { r.Role = "" }, "node_role is empty: a node needs a role")
	f(func(r *Registration) { r.Role = "-x" }, `node_role "-x"`+role)
	f(func(r *Registration) { r.Role = "9x" }, `node_role "9x"`+role)
	f(func(r *Registration) { r.Role = "data node" }, `node_role "data node"`+role)
	f(func(r *Registration) { r.Role = "rôle" }, `node_role "rôle"`+role)
	f(func(r *Registration) { r.Role = long }, "node_role "+shown+" has 4097 bytes, at most 4096 are allowed")

	f(func(r *Registration) { *r = Registration{Role: "meta"} },
		"node_id, pod_name and primary_address are all empty: a node needs one of them")
	f(func(r *Registration) { r.NodeID = "bad\nname" }, `node_id "bad\nname" holds a control character: none is allowed`)
	f(func(r *Registration) { r.NodeID = "bad\u0085name" }, `node_id "bad\u0085name" holds a control character: none is allowed`)
	const hidden = " holds a character that is invisible or turns the direction of writing: none is allowed"
	f(func(r *Registration) { r.NodeID = "data-\u202e0" }, `node_id "data-\u202e0"`+hidden)
	f(func(r *Registration) { r.NodeID = "data-0\u200b" }, `node_id "data-0\u200b"`+hidden) // it looks like data-0
	f(func(r *Registration) { r.PodName = "a\u2028b" }, `pod_name "a\u2028b"`+hidden)
	f(func(r *Registration) { r.AgentVersion = "1\ufeff" }, `agent_version "1\ufeff"`+hidden)
	f(func(r *Registration) { r.ContainerNames = []string{"\u2066"} }, `container_names "\u2066"`+hidden)
	f(func(r *Registration) { r.Labels = map[string]string{"a\u200e": "v"} }, `labels "a\u200e"`+hidden)
	f(func(r *Registration) { r.Secondary = map[string]Address{"\u061c": {"10.0.0.1", 1}} }, `secondary_addresses "\u061c"`+hidden)
	f(func(r *Registration) { r.NodeID = "\xff" }, `node_id "\xff" is not valid UTF-8`)
	f(func(r *Registration) { r.NodeID = long }, "node_id "+shown+" has 4097 bytes, at most 4096 are allowed")
	f(func(r *Registration) { r.PodName = "p\x00" }, `pod_name "p\x00" holds a control character: none is allowed`)
	f(func(r *Registration) { r.AgentVersion = "1\r" }, `agent_version "1\r" holds a control character: none is allowed`)
	f(func(r *Registration) { r.ContainerNames = []string{"a", "\t"} },
		`container_names "\t" holds a control character: none is allowed`)
	f(func(r *Registration) { r.ContainerNames = make([]string, 65) }, "container_names are 65, at most 64 are allowed")

	f(func(r *Registration) { r.Labels = numbered(65, "v") }, "labels are 65, at most 64 are allowed")
	f(func(r *Registration) { r.Labels = map[string]string{"": "v"} }, "labels: label name is empty")
	f(func(r *Registration) { r.Labels = map[string]string{"__name__": "v"} },
		"labels: label __name__ is not a label's name on a page")
	f(func(r *Registration) { r.Labels = map[string]string{"\xff": "v"} }, `labels: label name "\xff" is not valid UTF-8`)
	f(func(r *Registration) { r.Labels = map[string]string{"a\nb": "v"} },
		`labels "a\nb" holds a control character: none is allowed`)
	f(func(r *Registration) { r.Labels = map[string]string{"a": "v", "b": "\xff"} }, `labels["b"] "\xff" is not valid UTF-8`)
	f(func(r *Registration) { r.Labels = map[string]string{"a": long} },
		`labels["a"] `+shown+" has 4097 bytes, at most 4096 are allowed")

	f(func(r *Registration) { r.Labels = listOf(MaxListBytes + 1) }, "labels have 16385 bytes together, at most 16384 are allowed")
	f(func(r *Registration) { r.Labels = numbered(60, long[:4000]) }, "labels have 240170 bytes together, at most 16384 are allowed")
	f(func(r *Registration) { r.ContainerNames = slices.Repeat([]string{long[:4000]}, 5) },
		"container_names have 20000 bytes together, at most 16384 are allowed")
	f(func(r *Registration) {
		r.Secondary = map[string]Address{}
		for i := range 5 {
			r.Secondary[string(rune('a'+i))+long[:4000]] = Address{"10.0.0.1", 1}
		}
	}, "secondary_addresses have 20045 bytes together, at most 16384 are allowed")

	f(func(r *Registration) { r.Runtime = &Runtime{Load: math.NaN(), Health: HealthHealthy} },
		`runtime with load NaN and health "healthy": a number from 0 and healthy, degraded, unreachable or nothing are allowed`)
	f(func(r *Registration) { r.Runtime = &Runtime{Load: 1, Health: "fine"} },
		`runtime with load 1 and health "fine": a number from 0 and healthy, degraded, unreachable or nothing are allowed`)
}

func TestInvalidAddressesSayWhy(t *testing.T) {
	f := func(a Address, want string) {
		t.Helper()
		r := validRegistration()
		r.Primary = a
		require.EqualError(t, r.Validate(), "primary_address "+want)
		r = validRegistration()
		r.Secondary = map[string]Address{"a": {"10.0.0.1", 1}, "metrics": a}
		require.EqualError(t, r.Validate(), `secondary_addresses["metrics"] `+want)
	}
	const host = ": an IP address or a host name is allowed"
	const port = ": 1 to 65535 are allowed"

	f(Address{"", 17912}, `ip ""`+host)
	f(Address{"10.0.0.256", 17912}, `ip "10.0.0.256"`+host)
	f(Address{"1.2.3", 17912}, `ip "1.2.3"`+host)
	f(Address{"[::1]", 17912}, `ip "[::1]"`+host)
	f(Address{"::g", 17912}, `ip "::g"`+host)
	f(Address{"a..b", 17912}, `ip "a..b"`+host)
	f(Address{"-a.b", 17912}, `ip "-a.b"`+host)
	f(Address{"a-.b", 17912}, `ip "a-.b"`+host)
	f(Address{"a b", 17912}, `ip "a b"`+host)
	f(Address{"a:1", 17912}, `ip "a:1"`+host)
	f(Address{".", 17912}, `ip "."`+host)
	f(Address{strings.Repeat("a", 64), 1}, `ip "`+strings.Repeat("a", 64)+`"`+host)
	f(Address{strings.Repeat("a.", 127), 1}, `ip "`+strings.Repeat("a.", 50)+`"`+host)
	f(Address{"fe80::1%\n", 1}, `ip "fe80::1%\n" holds a control character: none is allowed`)
	f(Address{"10.0.0.1", 0}, "port 0"+port)
	f(Address{"10.0.0.1", -1}, "port -1"+port)
	f(Address{"10.0.0.1", 65536}, "port 65536"+port)

	r := validRegistration()
	r.Secondary = map[string]Address{"gossip": {}}
	require.EqualError(t, r.Validate(), `secondary_addresses["gossip"] ip ""`+host)
	r.Secondary = map[string]Address{"": {"10.0.0.1", 1}}
	require.EqualError(t, r.Validate(), `secondary_addresses has an address without a name: "10.0.0.1:1"`)
	r.Secondary = map[string]Address{"a\n": {"10.0.0.1", 1}}
	require.EqualError(t, r.Validate(), `secondary_addresses "a\n" holds a control character: none is allowed`)
	r.Secondary = numbered(65, Address{"10.0.0.1", 1})
	require.EqualError(t, r.Validate(), "secondary_addresses are 65, at most 64 are allowed")
}

func TestIdentityIsTheFirstNameThatIsKnown(t *testing.T) {
	f := func(r Registration, want string) {
		t.Helper()
		r.Role, r.Labels = "meta", map[string]string{"zone": "a"}
		require.Equal(t, Identity{NodeID: want, Role: "meta", PodName: cmp.Or(r.PodName, want), PodNameIsNodeID: r.PodName == "",
			Labels: r.Labels}, r.Identity())
	}
	f(Registration{NodeID: "n1", PodName: "p1", Primary: Address{"10.0.0.1", 1}}, "n1")
	f(Registration{NodeID: "n1", Primary: Address{"10.0.0.1", 1}}, "n1")
	f(Registration{PodName: "p1", Primary: Address{"10.0.0.1", 1}}, "p1")
	f(Registration{Primary: Address{"10.0.0.1", 1}}, "10.0.0.1:1")
	f(Registration{Primary: Address{"::1", 1}}, "[::1]:1")
	f(Registration{}, "")
}

// listOf returns labels that take so many bytes together.
func listOf(bytes int) map[string]string {
	labels := map[string]string{}
	for i := 0; bytes > 0; i++ {
		name := fmt.Sprintf("k%d", i)
		value := strings.Repeat("x", min(MaxTextBytes-100, bytes-len(name)))
		labels[name] = value
		bytes -= len(name) + len(value)
	}
	return labels
}

func numbered[T any](n int, value T) map[string]T {
	m := map[string]T{}
	for i := range n {
		m[fmt.Sprintf("k%d", i)] = value
	}
	return m
}
