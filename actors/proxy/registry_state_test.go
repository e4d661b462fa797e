package proxy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fodc/actors/actorstest"
	"fodc/messages"

	"github.com/stretchr/testify/require"
)

func TestRegistryScripts(t *testing.T) {
	actorstest.RunScripts(t, "testdata/script/registry*.txt", func() actorstest.Script {
		m := &registryMachine{}
		m.state = newRegistryState(RegistryLimits{HeartbeatTimeout: 30 * time.Second, CleanupTimeout: 5 * time.Minute, MaxAgents: 3})
		return m
	})
}

// registryMachine plays scripts on a registry state. Agent ids are a1, a2, ...
type registryMachine struct {
	actorstest.ScriptClock
	state *registryState
	ids   int
}

func (m *registryMachine) Do(command string, args []string) string {
	switch command {
	case "admit":
		m.ids++
		by, args := verifiedFrom(args)
		reg, peer := registrationFrom(args)
		adm, err := m.state.admit(reg, fmt.Sprintf("a%d", m.ids), peer, by, m.Now())
		if err != nil {
			return "rejected: " + err.Error()
		}
		text := fmt.Sprintf("a%d is %s, replaced %q, returning %t", m.ids, adm.identity.NodeID, adm.replaced, adm.returning)
		if adm.duplicateSuspected {
			text += ", duplicate suspected"
		}
		if adm.evicted != (eviction{}) {
			text += fmt.Sprintf(", evicted %q (session %q)", adm.evicted.nodeID, adm.evicted.agentID)
		}
		for _, e := range adm.displaced {
			text += fmt.Sprintf(", displaced %q (session %q)", e.nodeID, e.agentID)
		}
		if !adm.verified.IsZero() {
			text += fmt.Sprintf(", verified by certificate %q, token %q", adm.verified.Certificate, adm.verified.Token)
		}
		return text
	case "node-id-from":
		m.state.nodeIDFrom = NodeIDFrom(args[0])
		return ""
	case "stream":
		m.state.streamOpened(args[0])
		return ""
	case "heartbeat":
		return fmt.Sprintf("back online: %q", m.state.heartbeat(args[0], registration(args[1:]), m.Now()))
	case "ended":
		return fmt.Sprintf("was the newest of %q", m.state.ended(args[0], args[1] == "goodbye", strings.Join(args[1:], " "), m.Now()))
	case "sweep":
		s := m.state.sweep(m.Now())
		return fmt.Sprintf("unconnected %v, removed %v, end sessions %v", s.Unconnected, s.Removed, s.EndSessions)
	case "cluster":
		return m.cluster(args)
	case "configs":
		return m.configs()
	default:
		return "unknown command " + command
	}
}

func (m *registryMachine) cluster(args []string) string {
	var f messages.NodeFilter
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		switch key {
		case "id":
			f.NodeIDs = append(f.NodeIDs, value)
		case "role":
			f.Roles = append(f.Roles, value)
		case "pod":
			f.PodNames = append(f.PodNames, value)
		}
	}
	var b strings.Builder
	for _, n := range m.state.cluster(f, m.Now()).Nodes {
		fmt.Fprintf(&b, "%s %s %v %s %s live=%t heartbeat %s ago", n.Identity.NodeID, n.Identity.Role, n.Identity.Labels,
			n.Primary, n.Status, m.state.isLive(n.AgentID), m.Now().Sub(n.LastHeartbeat))
		if n.LastError != "" {
			fmt.Fprintf(&b, ", %s", n.LastError)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func (m *registryMachine) configs() string {
	var b strings.Builder
	for _, n := range m.state.configs(messages.NodeFilter{}, m.Now()) {
		fmt.Fprintf(&b, "%s %s ", n.Identity.NodeID, n.Status)
		if n.Config == nil {
			b.WriteString("has sent none\n")
			continue
		}
		fmt.Fprintf(&b, "of %s: startup %v, runtime %v", n.Config.CollectedAt.Format(time.TimeOnly), n.Config.StartupParams, n.Config.RuntimeConfig)
		if len(n.Config.Errors) > 0 {
			fmt.Fprintf(&b, ", errors %q", n.Config.Errors)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// scriptConfig returns the registration's configuration, with a new one if there is none.
func scriptConfig(r *messages.Registration) *messages.NodeConfig {
	if r.Config == nil {
		r.Config = &messages.NodeConfig{}
	}
	return r.Config
}

// verifiedFrom takes what the peer has shown out of the arguments: cert=dns:NAME,uri:URI,cn:NAME and token=NAME.
func verifiedFrom(args []string) (by verifiedPeer, others []string) {
	for _, arg := range args {
		if names, ok := strings.CutPrefix(arg, "cert="); ok {
			by.certificate = certificateNamesOf(certificateOf(strings.Split(names, ",")...))
		} else if token, ok := strings.CutPrefix(arg, "token="); ok {
			by.token = token
		} else {
			others = append(others, arg)
		}
	}
	return by, others
}

// registrationFrom also returns the remote address: that of peer=IP, or the same for all.
func registrationFrom(args []string) (messages.Registration, messages.Address) {
	peer := messages.Address{IP: "192.0.2.9", Port: 40000}
	if last := args[len(args)-1]; strings.HasPrefix(last, "peer=") {
		peer.IP, args = strings.TrimPrefix(last, "peer="), args[:len(args)-1]
	}
	return registration(args), peer
}

func registration(args []string) messages.Registration {
	r := messages.Registration{Labels: map[string]string{}}
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		switch key {
		case "id":
			r.NodeID = value
		case "pod":
			r.PodName = value
		case "role":
			r.Role = value
		case "addr":
			r.Primary = parseAddress(value)
		case "columnar": // columnar=yes: not a baseline agent
			r.Capabilities.ColumnarAnswers = true
		case "collected": // collected=SECONDS: the configuration, of that unix time
			d, _ := time.ParseDuration(value)
			scriptConfig(&r).CollectedAt = time.Unix(0, 0).UTC().Add(d)
		case "startup": // startup=VALUE, runtime=VALUE: of a parameter p
			scriptConfig(&r).StartupParams = []messages.ConfigParam{{Key: "p", Value: value}}
		case "runtime":
			scriptConfig(&r).RuntimeConfig = []messages.ConfigParam{{Key: "p", Value: value}}
		case "config-error":
			scriptConfig(&r).Errors = []string{value}
		default:
			r.Labels[key] = value
		}
	}
	return r
}

// At any time a node has one entry and at most one live session, whatever comes in
// whatever order.
func TestOneEntryANode(t *testing.T) {
	s := newRegistryState(RegistryLimits{HeartbeatTimeout: time.Second, CleanupTimeout: time.Minute, MaxAgents: 10})
	now := time.Unix(0, 0)
	for i := range 20 {
		agentID := fmt.Sprintf("a%d", i)
		adm, err := s.admit(registration([]string{"id=n1", "role=liaison", "addr=10.0.0.1:17912"}), agentID, messages.Address{}, verifiedPeer{}, now)
		require.NoError(t, err)
		if i > 0 {
			require.Equal(t, fmt.Sprintf("a%d", i-1), adm.replaced)
		}
		require.Len(t, s.cluster(messages.NodeFilter{}, now).Nodes, 1)
		require.Len(t, s.byAgent, 1)
		require.True(t, s.isLive(agentID))
	}
}
