package proxy

import (
	"cmp"
	"slices"
	"time"

	"fodc/messages"
)

// selected returns the nodes that the filter selects, sorted by node id.
func (s *registryState) selected(f messages.NodeFilter) []*node {
	nodes := make([]*node, 0, len(s.nodes))
	for _, n := range s.nodes {
		if f.Selects(&n.identity) {
			nodes = append(nodes, n)
		}
	}
	slices.SortFunc(nodes, func(a, b *node) int { return cmp.Compare(a.identity.NodeID, b.identity.NodeID) })
	return nodes
}

func (n *node) sessionAge(now time.Time) *time.Duration {
	if !n.live {
		return nil
	}
	age := now.Sub(n.registeredAt)
	return &age
}

// configs returns the configurations of the nodes that the filter selects.
func (s *registryState) configs(f messages.NodeFilter, now time.Time) []messages.NodeConfiguration {
	var configs []messages.NodeConfiguration
	for _, n := range s.selected(f) {
		configs = append(configs, messages.NodeConfiguration{Identity: n.identity, Status: s.status(n, now), Config: n.registration.Config})
	}
	return configs
}

// cluster returns the picture of the nodes that the filter selects.
func (s *registryState) cluster(f messages.NodeFilter, now time.Time) messages.Cluster {
	picture := messages.Cluster{UpdatedAt: now, Verifies: s.verifies}
	nodes := s.selected(f)
	picture.Nodes = make([]messages.NodeStatus, 0, len(nodes))
	for _, n := range nodes {
		picture.Nodes = append(picture.Nodes, messages.NodeStatus{
			Identity: n.identity, Primary: n.primary, Secondary: n.registration.Secondary,
			ContainerNames: n.registration.ContainerNames, Status: s.status(n, now), AgentID: n.agentID,
			AgentVersion: n.registration.AgentVersion, RegisteredAt: n.registeredAt,
			LastHeartbeat: n.lastHeartbeat, LostAt: n.lostAt, LastError: n.lastError, Runtime: n.registration.Runtime,
			SessionAge: n.sessionAge(now), Timing: n.registration.Timing, Verified: n.verified,
		})
	}
	return picture
}
