package httpapi

import (
	"time"

	"fodc/messages"
)

// The JSON of a group is that of its protobuf message: names as in the contract, all fields present,
// messages that are absent null, integers of 64 bits as strings.
type (
	groupView struct {
		Name        string           `json:"name"`
		Catalog     string           `json:"catalog"`
		Resources   *resourcesView   `json:"resource_opts"`
		Data        []dataInfoView   `json:"data_info"`
		Errors      []string         `json:"errors"`
		Consistency *consistencyView `json:"schema_consistency"`
	}
	resourcesView struct {
		ShardNum        uint32        `json:"shard_num"`
		SegmentInterval *intervalView `json:"segment_interval"`
		TTL             *intervalView `json:"ttl"`
		Stages          []stageView   `json:"stages"`
		DefaultStages   []string      `json:"default_stages"`
		Replicas        uint32        `json:"replicas"`
	}
	intervalView struct {
		Unit string `json:"unit"`
		Num  uint32 `json:"num"`
	}
	stageView struct {
		Name            string        `json:"name"`
		ShardNum        uint32        `json:"shard_num"`
		SegmentInterval *intervalView `json:"segment_interval"`
		TTL             *intervalView `json:"ttl"`
		NodeSelector    string        `json:"node_selector"`
		Close           bool          `json:"close"`
		Replicas        uint32        `json:"replicas"`
	}
	dataInfoView struct {
		Node          *protoNodeView `json:"node"`
		Segments      []segmentView  `json:"segment_info"`
		DataSizeBytes int64          `json:"data_size_bytes,string"`
	}
	protoNodeView struct {
		Metadata      protoMetadataView `json:"metadata"`
		Roles         []string          `json:"roles"`
		GRPCAddress   string            `json:"grpc_address"`
		HTTPAddress   string            `json:"http_address"`
		CreatedAt     *time.Time        `json:"created_at"`
		Labels        map[string]string `json:"labels"`
		RepairGossip  string            `json:"property_repair_gossip_grpc_address"`
		SchemaAddress string            `json:"property_schema_grpc_address"`
		SchemaGossip  string            `json:"property_schema_gossip_grpc_address"`
	}
	protoMetadataView struct {
		Group          string `json:"group"`
		Name           string `json:"name"`
		ID             uint32 `json:"id"`
		CreateRevision int64  `json:"create_revision,string"`
		ModRevision    int64  `json:"mod_revision,string"`
	}
	segmentView struct {
		ID             string      `json:"segment_id"`
		TimeRangeStart string      `json:"time_range_start"`
		TimeRangeEnd   string      `json:"time_range_end"`
		Shards         []shardView `json:"shard_info"`
		SeriesIndex    *indexView  `json:"series_index_info"`
	}
	shardView struct {
		ID            uint32     `json:"shard_id"`
		DataCount     int64      `json:"data_count,string"`
		DataSizeBytes int64      `json:"data_size_bytes,string"`
		PartCount     int64      `json:"part_count,string"`
		InvertedIndex *indexView `json:"inverted_index_info"`
		SIDX          *sidxView  `json:"sidx_info"`
		FilePartCount int64      `json:"file_part_count,string"`
	}
	indexView struct {
		DataCount     int64 `json:"data_count,string"`
		DataSizeBytes int64 `json:"data_size_bytes,string"`
	}
	sidxView struct {
		indexView
		PartCount int64 `json:"part_count,string"`
	}
	consistencyView struct {
		Status  string            `json:"status"`
		Objects []schemaStateView `json:"objects"`
		Issues  []schemaIssueView `json:"issues"`
	}
	schemaStateView struct {
		Kind                string            `json:"kind"`
		Name                string            `json:"name"`
		RegistryFingerprint uint64            `json:"registry_fingerprint,string"`
		Nodes               []fingerprintView `json:"node_fingerprints"`
	}
	fingerprintView struct {
		Node    string `json:"node"`
		Cache   uint64 `json:"cache_fingerprint,string"`
		Runtime uint64 `json:"runtime_fingerprint,string"`
	}
	schemaIssueView struct {
		Kind string `json:"kind"`
		Name string `json:"name"`
		Node string `json:"node"`
		Type string `json:"type"`
	}
)

func resourcesOf(r *messages.ResourceOpts) *resourcesView {
	if r == nil {
		return nil
	}
	v := &resourcesView{ShardNum: r.ShardNum, Replicas: r.Replicas, SegmentInterval: intervalOf(r.SegmentInterval), TTL: intervalOf(r.TTL),
		Stages: []stageView{}, DefaultStages: listOf(r.DefaultStages)}
	for i := range r.Stages {
		s := &r.Stages[i]
		v.Stages = append(v.Stages, stageView{Name: s.Name, ShardNum: s.ShardNum, SegmentInterval: intervalOf(s.SegmentInterval), TTL: intervalOf(s.TTL),
			NodeSelector: s.NodeSelector, Close: s.Close, Replicas: s.Replicas})
	}
	return v
}

func intervalOf(i *messages.IntervalRule) *intervalView {
	if i == nil {
		return nil
	}
	return &intervalView{i.Unit.String(), i.Num}
}

func protoNodeOf(n *messages.DatabaseNode) *protoNodeView {
	if n == nil {
		return nil
	}
	m := &n.Metadata
	v := &protoNodeView{Metadata: protoMetadataView{m.Group, m.Name, m.ID, m.CreateRevision, m.ModRevision}, Roles: []string{},
		GRPCAddress: n.GRPCAddress, HTTPAddress: n.HTTPAddress, Labels: n.Labels, RepairGossip: n.PropertyRepairGossipGRPCAddress,
		SchemaAddress: n.PropertySchemaGRPCAddress, SchemaGossip: n.PropertySchemaGossipGRPCAddress}
	if v.Labels == nil {
		v.Labels = map[string]string{}
	}
	for _, r := range n.Roles {
		v.Roles = append(v.Roles, r.String())
	}
	if !n.CreatedAt.IsZero() {
		at := n.CreatedAt.UTC()
		v.CreatedAt = &at
	}
	return v
}

func segmentOf(s *messages.SegmentInfo) segmentView {
	v := segmentView{ID: s.ID, TimeRangeStart: s.TimeRangeStart, TimeRangeEnd: s.TimeRangeEnd, Shards: []shardView{}, SeriesIndex: indexOf(s.SeriesIndex)}
	for i := range s.Shards {
		h := &s.Shards[i]
		one := shardView{ID: h.ID, DataCount: h.DataCount, DataSizeBytes: h.DataSizeBytes, PartCount: h.PartCount,
			FilePartCount: h.FilePartCount, InvertedIndex: indexOf(h.InvertedIndex)}
		if x := h.SIDX; x != nil {
			one.SIDX = &sidxView{*indexOf(x), x.PartCount}
		}
		v.Shards = append(v.Shards, one)
	}
	return v
}

func indexOf(i *messages.IndexInfo) *indexView {
	if i == nil {
		return nil
	}
	return &indexView{i.DataCount, i.DataSizeBytes}
}

func consistencyOf(c *messages.SchemaConsistency) *consistencyView {
	if c == nil {
		return nil
	}
	v := &consistencyView{Status: c.Status.String(), Objects: []schemaStateView{}, Issues: []schemaIssueView{}}
	for i := range c.Objects {
		o := &c.Objects[i]
		one := schemaStateView{Kind: o.Kind, Name: o.Name, RegistryFingerprint: o.RegistryFingerprint, Nodes: []fingerprintView{}}
		for _, n := range o.Nodes {
			one.Nodes = append(one.Nodes, fingerprintView{n.Node, n.CacheFingerprint, n.RuntimeFingerprint})
		}
		v.Objects = append(v.Objects, one)
	}
	for _, i := range c.Issues {
		v.Issues = append(v.Issues, schemaIssueView{i.Kind, i.Name, i.Node, i.Type.String()})
	}
	return v
}
