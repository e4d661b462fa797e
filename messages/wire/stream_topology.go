package wire

import "fodc/messages"

// setTopology sets the topology if the part is one.
func setTopology(f *StreamClusterTopologyRequest, p messages.Part) {
	t, ok := p.(*messages.Topology)
	if !ok || t == nil {
		return
	}
	f.Timestamp, f.Topology = toTimestamp(t.At), &Topology{Calls: converted(t.Calls, len(t.Calls), toCall)}
	for i := range t.Nodes {
		f.Topology.Nodes = append(f.Topology.Nodes, NodeFrame(t.Nodes[i]))
	}
}

// fromTopology returns nil where there is none. Nodes without a name and calls without both ends
// are left out.
func fromTopology(f *StreamClusterTopologyRequest) messages.Part {
	if f.GetTopology() == nil && f.GetTimestamp() == nil {
		return nil
	}
	return &messages.Topology{
		At: fromTimestamp(f.GetTimestamp()),
		Nodes: kept(f.GetTopology().GetNodes(), func(n *Node) (messages.DatabaseNode, bool) {
			node := FromNode(n)
			return node, node.Metadata.Name != ""
		}),
		Calls: kept(f.GetTopology().GetCalls(), func(c *Call) (messages.Call, bool) {
			call := messages.Call{ID: cleanText(c.GetId()), Source: cleanText(c.GetSource()), Target: cleanText(c.GetTarget())}
			return call, call.Source != "" && call.Target != ""
		}),
	}
}

func toCall(c messages.Call) *Call {
	return &Call{Id: cleanText(c.ID), Source: cleanText(c.Source), Target: cleanText(c.Target)}
}

// NodeFrame returns a node with valid texts.
func NodeFrame(n messages.DatabaseNode) *Node {
	m := n.Metadata
	f := &Node{
		Roles: converted(n.Roles, maxNodeRoles, func(r messages.DatabaseRole) Role {
			return Role(known(r, messages.DatabaseRoleLiaison))
		}),
		GrpcAddress:                     cleanText(n.GRPCAddress),
		HttpAddress:                     cleanText(n.HTTPAddress),
		CreatedAt:                       toTimestamp(n.CreatedAt),
		Labels:                          cleanMap(n.Labels, maxNodeLabels),
		PropertyRepairGossipGrpcAddress: cleanText(n.PropertyRepairGossipGRPCAddress),
		PropertySchemaGrpcAddress:       cleanText(n.PropertySchemaGRPCAddress),
		PropertySchemaGossipGrpcAddress: cleanText(n.PropertySchemaGossipGRPCAddress),
	}
	if m != (messages.DatabaseMetadata{}) {
		f.Metadata = &Metadata{Group: cleanText(m.Group), Name: cleanText(m.Name), Id: m.ID,
			CreateRevision: m.CreateRevision, ModRevision: m.ModRevision}
	}
	return f
}

// FromNode returns a node, which may be nil, with valid texts within their limits.
func FromNode(f *Node) messages.DatabaseNode {
	m := f.GetMetadata()
	return messages.DatabaseNode{
		Metadata: messages.DatabaseMetadata{Group: cleanText(m.GetGroup()), Name: cleanText(m.GetName()), ID: m.GetId(),
			CreateRevision: m.GetCreateRevision(), ModRevision: m.GetModRevision()},
		Roles: converted(f.GetRoles(), maxNodeRoles, func(r Role) messages.DatabaseRole {
			return known(messages.DatabaseRole(r), messages.DatabaseRoleLiaison)
		}),
		GRPCAddress:                     cleanText(f.GetGrpcAddress()),
		HTTPAddress:                     cleanText(f.GetHttpAddress()),
		CreatedAt:                       fromTimestamp(f.GetCreatedAt()),
		Labels:                          cleanMap(f.GetLabels(), maxNodeLabels),
		PropertyRepairGossipGRPCAddress: cleanText(f.GetPropertyRepairGossipGrpcAddress()),
		PropertySchemaGRPCAddress:       cleanText(f.GetPropertySchemaGrpcAddress()),
		PropertySchemaGossipGRPCAddress: cleanText(f.GetPropertySchemaGossipGrpcAddress()),
	}
}

// known returns the number of an enum, or 0, the unspecified one, if it is none up to the last.
func known[E ~int32](e, last E) E {
	if e < 0 || e > last {
		return 0
	}
	return e
}
