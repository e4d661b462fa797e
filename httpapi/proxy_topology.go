package httpapi

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"time"

	"fodc/messages"
)

// labelPodName is the label by which the database's nodes name their pods.
const labelPodName = "pod_name"

// topologyView is the JSON of /cluster/topology.
type topologyView struct {
	Nodes []databaseNodeView `json:"nodes"`
	Calls []callView         `json:"calls"`
}

// databaseNodeView is a node with the names of its protobuf fields. What is empty is left out.
type databaseNodeView struct {
	Metadata      metadataView      `json:"metadata"`
	Roles         []string          `json:"roles,omitempty"`
	GRPCAddress   string            `json:"grpc_address,omitempty"`
	HTTPAddress   string            `json:"http_address,omitempty"`
	CreatedAt     *secondsView      `json:"created_at,omitempty"`
	Labels        map[string]string `json:"labels,omitempty"`
	RepairGossip  string            `json:"property_repair_gossip_grpc_address,omitempty"`
	SchemaAddress string            `json:"property_schema_grpc_address,omitempty"`
	SchemaGossip  string            `json:"property_schema_gossip_grpc_address,omitempty"`
	// Status and LastHeartbeat are of the node's agent; absent for a node that has none here.
	Status        messages.Status `json:"status,omitempty"`
	LastHeartbeat time.Time       `json:"last_heartbeat,omitzero"`
}

type metadataView struct {
	Group          string `json:"group,omitempty"`
	Name           string `json:"name,omitempty"`
	ID             uint32 `json:"id,omitempty"`
	CreateRevision int64  `json:"create_revision,omitempty"`
	ModRevision    int64  `json:"mod_revision,omitempty"`
}

type secondsView struct {
	Seconds int64 `json:"seconds"`
	Nanos   int   `json:"nanos"`
}

type callView struct {
	ID     string `json:"id"`
	Target string `json:"target"`
	Source string `json:"source"`
}

// serveTopology responds with the nodes that the database's nodes know, and whom they call.
func (a *ProxyAPI) serveTopology(w http.ResponseWriter, r *http.Request) error {
	c, release, err := a.collectParts(w, r, messages.TopologyQuestion{})
	if err != nil {
		return err
	}
	defer release()
	cluster, err := a.cluster(r, params{})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, topologyOf(c, &cluster))
}

// topologyOf merges the answers: nodes by name, calls by id. Where agents describe a node differently,
// the newest description counts, of equally new ones that of the agent whose node id is first.
func topologyOf(c *messages.Collection, cluster *messages.Cluster) topologyView {
	nodes, calls := map[string]*messages.DatabaseNode{}, map[string]messages.Call{}
	for i := range c.Nodes {
		for _, t := range partsOf[*messages.Topology](&c.Nodes[i]) {
			for j := range t.Nodes {
				n := &t.Nodes[j]
				if has := nodes[n.Metadata.Name]; has == nil || isNewer(n, has) {
					nodes[n.Metadata.Name] = n
				}
			}
			for _, call := range t.Calls {
				if _, known := calls[call.ID]; !known {
					calls[call.ID] = call
				}
			}
		}
	}
	agents := agentsByName(cluster)
	view := topologyView{Nodes: make([]databaseNodeView, 0, len(nodes)), Calls: make([]callView, 0, len(calls))}
	for _, name := range slices.Sorted(maps.Keys(nodes)) {
		n := databaseNodeOf(nodes[name])
		if agent := cmp.Or(agents[n.Labels[labelPodName]], agents[name]); agent != nil {
			n.Status, n.LastHeartbeat = agent.Status, jsonTime(agent.LastHeartbeat)
		}
		view.Nodes = append(view.Nodes, n)
	}
	for _, id := range slices.Sorted(maps.Keys(calls)) {
		view.Calls = append(view.Calls, callView{ID: id, Target: calls[id].Target, Source: calls[id].Source})
	}
	return view
}

// isNewer reports whether one description of a node was made after another one.
func isNewer(n, than *messages.DatabaseNode) bool {
	return cmp.Or(cmp.Compare(n.Metadata.ModRevision, than.Metadata.ModRevision), n.CreatedAt.Compare(than.CreatedAt)) > 0
}

// agentsByName returns the nodes by pod name and by node id; pod names come first.
func agentsByName(cluster *messages.Cluster) map[string]*messages.NodeStatus {
	agents := make(map[string]*messages.NodeStatus, 2*len(cluster.Nodes))
	for i := range cluster.Nodes {
		agents[cluster.Nodes[i].Identity.NodeID] = &cluster.Nodes[i]
	}
	for i := range cluster.Nodes {
		agents[cluster.Nodes[i].Identity.PodName] = &cluster.Nodes[i]
	}
	delete(agents, "")
	return agents
}

func databaseNodeOf(n *messages.DatabaseNode) databaseNodeView {
	m := &n.Metadata
	v := databaseNodeView{Metadata: metadataView{Group: m.Group, Name: m.Name, ID: m.ID, CreateRevision: m.CreateRevision, ModRevision: m.ModRevision},
		GRPCAddress: n.GRPCAddress, HTTPAddress: n.HTTPAddress, Labels: n.Labels, RepairGossip: n.PropertyRepairGossipGRPCAddress,
		SchemaAddress: n.PropertySchemaGRPCAddress, SchemaGossip: n.PropertySchemaGossipGRPCAddress}
	for _, r := range n.Roles {
		v.Roles = append(v.Roles, r.String())
	}
	if !n.CreatedAt.IsZero() {
		v.CreatedAt = &secondsView{n.CreatedAt.Unix(), n.CreatedAt.Nanosecond()}
	}
	return v
}
