package messages

import "time"

// Lifecycle is what an agent knows of the groups of its database, and of its lifecycle runs.
type Lifecycle struct {
	At      time.Time
	PodName string
	Reports []LifecycleReport
	Groups  []LifecycleGroup
}

// LifecycleReport is a report that a lifecycle run of the database has written.
type LifecycleReport struct {
	Filename string
	// JSON is the file's content, which need not be valid.
	JSON string
	// Continues says that JSON goes on in the first report of the next part.
	Continues bool
}

// LifecycleGroup is a group of the database. Groups of several parts or agents that have the same name
// are one group.
type LifecycleGroup struct {
	Name, Catalog string
	// Resources is nil where it is not known.
	Resources *ResourceOpts
	Data      []DataInfo
	Errors    []string
	// Consistency is nil where it is not known.
	Consistency *SchemaConsistency
}

// ResourceOpts are the settings of a group. SegmentInterval and TTL may be nil.
type ResourceOpts struct {
	ShardNum, Replicas   uint32
	SegmentInterval, TTL *IntervalRule
	Stages               []LifecycleStage
	DefaultStages        []string
}

// IntervalRule is a time: so many hours or days.
type IntervalRule struct {
	Unit IntervalUnit
	Num  uint32
}

// IntervalUnit is the unit of an IntervalRule, with the database's numbers.
type IntervalUnit int32

// The units.
const (
	UnitUnspecified IntervalUnit = 0
	UnitHour        IntervalUnit = 1
	UnitDay         IntervalUnit = 2
)

// LifecycleStage is a stage of a group's data, such as warm. SegmentInterval and TTL may be nil.
type LifecycleStage struct {
	Name, NodeSelector   string
	ShardNum, Replicas   uint32
	SegmentInterval, TTL *IntervalRule
	Close                bool
}

// DataInfo is what one node has of a group. Node may be nil.
type DataInfo struct {
	Node          *DatabaseNode
	Segments      []SegmentInfo
	DataSizeBytes int64
}

// SegmentInfo is one segment of a group's data. SeriesIndex may be nil.
type SegmentInfo struct {
	ID, TimeRangeStart, TimeRangeEnd string
	Shards                           []ShardInfo
	SeriesIndex                      *IndexInfo
}

// ShardInfo is one shard of a segment. InvertedIndex and SIDX may be nil.
type ShardInfo struct {
	ID                                                 uint32
	DataCount, DataSizeBytes, PartCount, FilePartCount int64
	InvertedIndex, SIDX                                *IndexInfo
}

// IndexInfo is the size of an index. Only a SIDX has parts.
type IndexInfo struct{ DataCount, DataSizeBytes, PartCount int64 }

// ConsistencyStatus is what is known of a group's schema, with the contract's numbers.
type ConsistencyStatus int32

// What may be known.
const (
	ConsistencyUnspecified  ConsistencyStatus = 0
	ConsistencyConsistent   ConsistencyStatus = 1
	ConsistencyInconsistent ConsistencyStatus = 2
	ConsistencyUnknown      ConsistencyStatus = 3
)

// SchemaConsistency says whether the nodes of a group have the schema that its registry has.
type SchemaConsistency struct {
	Status  ConsistencyStatus
	Objects []SchemaObjectState
	Issues  []SchemaIssue
}

// SchemaObjectState is what the registry and the nodes have of one schema object.
type SchemaObjectState struct {
	Kind, Name          string
	RegistryFingerprint uint64
	Nodes               []NodeFingerprint
}

// NodeFingerprint is what one node has of a schema object; 0 is nothing.
type NodeFingerprint struct {
	Node                                 string
	CacheFingerprint, RuntimeFingerprint uint64
}

// SchemaIssue is where a node's schema differs from the registry's.
type SchemaIssue struct {
	Kind, Name, Node string
	Type             SchemaIssueType
}

// SchemaIssueType is in what they differ, with the contract's numbers.
type SchemaIssueType int32

// In what they may differ.
const (
	IssueUnspecified       SchemaIssueType = 0
	IssueMissingInCache    SchemaIssueType = 1
	IssueOrphan            SchemaIssueType = 2
	IssueCacheStale        SchemaIssueType = 3
	IssueRuntimeNotApplied SchemaIssueType = 4
)

// SchemaGroup is what the database's registry has of one group, or a part of it. One without a name
// and with an error says that the registry could not be read.
type SchemaGroup struct {
	Group   string
	Objects []SchemaObject
	Error   string
}

// SchemaObject is one object of the registry.
type SchemaObject struct {
	Kind, Name  string
	Fingerprint uint64
}
