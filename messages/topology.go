package messages

import (
	"time"
	"unsafe"
)

// DatabaseNode is a node of the database's cluster, as the database describes it.
type DatabaseNode struct {
	// Metadata.Name is the node's name in the cluster.
	Metadata    DatabaseMetadata
	Roles       []DatabaseRole
	GRPCAddress string
	HTTPAddress string
	// CreatedAt is zero where it is not known.
	CreatedAt time.Time
	Labels    map[string]string
	// The addresses of the services that repair and spread properties.
	PropertyRepairGossipGRPCAddress string
	PropertySchemaGRPCAddress       string
	PropertySchemaGossipGRPCAddress string
}

// DatabaseMetadata names an object of the database.
type DatabaseMetadata struct {
	Group, Name    string
	ID             uint32
	CreateRevision int64
	ModRevision    int64
}

// DatabaseRole is a role that a node has in the database's cluster.
type DatabaseRole int32

// The roles, with the database's numbers.
const (
	DatabaseRoleUnspecified DatabaseRole = 0
	DatabaseRoleMeta        DatabaseRole = 1
	DatabaseRoleData        DatabaseRole = 2
	DatabaseRoleLiaison     DatabaseRole = 3
)

// String returns the database's name of the role, such as ROLE_DATA. One that is not known is
// ROLE_UNSPECIFIED.
func (r DatabaseRole) String() string {
	switch r {
	case DatabaseRoleMeta:
		return "ROLE_META"
	case DatabaseRoleData:
		return "ROLE_DATA"
	case DatabaseRoleLiaison:
		return "ROLE_LIAISON"
	}
	return "ROLE_UNSPECIFIED"
}

// MemoryBytes estimates the memory that the node takes.
func (n *DatabaseNode) MemoryBytes() int {
	bytes := int(unsafe.Sizeof(*n)) + 4*len(n.Roles) + len(n.Metadata.Group) + len(n.Metadata.Name) + len(n.GRPCAddress) +
		len(n.HTTPAddress) + len(n.PropertyRepairGossipGRPCAddress) + len(n.PropertySchemaGRPCAddress) + len(n.PropertySchemaGossipGRPCAddress)
	return bytes + mapBytes(n.Labels)
}

// mapEntryBytes is what an entry of a map takes beside its texts.
const mapEntryBytes = 48

func mapBytes(m map[string]string) (bytes int) {
	for k, v := range m {
		bytes += mapEntryBytes + len(k) + len(v)
	}
	return bytes
}

// Topology is the nodes that one node knows, and whom it calls.
type Topology struct {
	At    time.Time
	Nodes []DatabaseNode
	Calls []Call
}

// Call says that one node, by its name, calls another.
type Call struct{ ID, Source, Target string }

// MemoryBytes implements Part.
func (t *Topology) MemoryBytes() int {
	bytes := int(unsafe.Sizeof(*t))
	for i := range t.Nodes {
		bytes += t.Nodes[i].MemoryBytes()
	}
	for _, c := range t.Calls {
		bytes += int(unsafe.Sizeof(c)) + len(c.ID) + len(c.Source) + len(c.Target)
	}
	return bytes
}
