package actorstest

// baselineTable is the contract: the fields of each message as name, number and type. It
// shares nothing with the .proto of this module, so peers built from it do not know this
// module's extensions. On the wire an enum is an int32, and a oneof is several messages of which
// one is there.
var baselineTable = map[string][]baselineField{
	"RegisterAgentRequest": {{"node_role", 1, "string"}, {"labels", 2, "map string"}, {"primary_address", 3, "Address"},
		{"pod_name", 4, "string"}, {"container_names", 5, "repeated string"}},
	"Address": {{"ip", 1, "string"}, {"port", 2, "int32"}},
	"RegisterAgentResponse": {{"success", 1, "bool"}, {"message", 2, "string"}, {"heartbeat_interval_seconds", 3, "int64"},
		{"agent_id", 4, "string"}},

	"StreamMetricsRequest": {{"metrics", 1, "repeated Metric"}, {"timestamp", 2, "Timestamp"}},
	"Metric": {{"name", 1, "string"}, {"labels", 2, "map string"}, {"value", 3, "double"}, {"description", 4, "string"},
		{"timestamp", 5, "Timestamp"}, {"type", 6, "int32"}},
	"StreamMetricsResponse": {{"start_time", 1, "Timestamp"}, {"end_time", 2, "Timestamp"}},

	"StreamClusterTopologyResponse": {{"request_topology", 1, "bool"}},
	"StreamClusterTopologyRequest":  {{"timestamp", 1, "Timestamp"}, {"topology", 2, "Topology"}},
	"Topology":                      {{"nodes", 1, "repeated Node"}, {"calls", 2, "repeated Call"}},
	"Call":                          {{"id", 1, "string"}, {"target", 2, "string"}, {"source", 3, "string"}},

	"StreamLifecycleResponse": {{"request_lifecycle", 1, "bool"}},
	"StreamLifecycleRequest":  {{"timestamp", 1, "Timestamp"}, {"pod_name", 2, "string"}, {"lifecycle_data", 3, "LifecycleData"}},
	"LifecycleData":           {{"reports", 1, "repeated LifecycleReport"}, {"groups", 2, "repeated GroupLifecycleInfo"}},
	"LifecycleReport":         {{"filename", 1, "string"}, {"report_json", 2, "string"}},
	"GroupLifecycleInfo": {{"name", 1, "string"}, {"catalog", 2, "string"}, {"resource_opts", 3, "ResourceOpts"},
		{"data_info", 4, "repeated DataInfo"}, {"errors", 5, "repeated string"}, {"schema_consistency", 6, "SchemaConsistency"}},
	"ResourceOpts": {{"shard_num", 1, "uint32"}, {"segment_interval", 2, "IntervalRule"}, {"ttl", 3, "IntervalRule"},
		{"stages", 4, "repeated LifecycleStage"}, {"default_stages", 5, "repeated string"}, {"replicas", 6, "uint32"}},
	"IntervalRule": {{"unit", 1, "int32"}, {"num", 2, "uint32"}},
	"LifecycleStage": {{"name", 1, "string"}, {"shard_num", 2, "uint32"}, {"segment_interval", 3, "IntervalRule"}, {"ttl", 4, "IntervalRule"},
		{"node_selector", 5, "string"}, {"close", 6, "bool"}, {"replicas", 7, "uint32"}},
	"DataInfo": {{"node", 1, "Node"}, {"segment_info", 2, "repeated SegmentInfo"}, {"data_size_bytes", 3, "int64"}},
	"SegmentInfo": {{"segment_id", 1, "string"}, {"time_range_start", 2, "string"}, {"time_range_end", 3, "string"},
		{"shard_info", 4, "repeated ShardInfo"}, {"series_index_info", 5, "SeriesIndexInfo"}},
	"ShardInfo": {{"shard_id", 1, "uint32"}, {"data_count", 2, "int64"}, {"data_size_bytes", 3, "int64"}, {"part_count", 4, "int64"},
		{"inverted_index_info", 5, "InvertedIndexInfo"}, {"sidx_info", 6, "SIDXInfo"}, {"file_part_count", 7, "int64"}},
	"SeriesIndexInfo":   {{"data_count", 1, "int64"}, {"data_size_bytes", 2, "int64"}},
	"InvertedIndexInfo": {{"data_count", 1, "int64"}, {"data_size_bytes", 2, "int64"}},
	"SIDXInfo":          {{"data_count", 1, "int64"}, {"data_size_bytes", 2, "int64"}, {"part_count", 3, "int64"}},
	"SchemaConsistency": {{"status", 1, "int32"}, {"objects", 2, "repeated SchemaObjectFingerprints"}, {"issues", 3, "repeated SchemaIssue"}},
	"SchemaObjectFingerprints": {{"kind", 1, "string"}, {"name", 2, "string"}, {"registry_fingerprint", 3, "uint64"},
		{"node_fingerprints", 4, "repeated NodeFingerprint"}},
	"NodeFingerprint": {{"node", 1, "string"}, {"cache_fingerprint", 2, "uint64"}, {"runtime_fingerprint", 3, "uint64"}},
	"SchemaIssue":     {{"kind", 1, "string"}, {"name", 2, "string"}, {"node", 3, "string"}, {"type", 4, "int32"}},

	"StreamCrashDiagnosticsResponse": {{"request_diagnostics", 1, "bool"}},
	"StreamCrashDiagnosticsRequest": {{"fetched_at", 1, "Timestamp"}, {"source_endpoint", 2, "string"}, {"artifact_dir", 3, "string"},
		{"panic_record", 4, "PanicRecord"}, {"files", 5, "repeated string"}},
	"PanicRecord": {{"occurred_at", 1, "Timestamp"}, {"component", 2, "string"}, {"panic_value", 3, "string"}, {"recovered", 4, "bool"},
		{"goroutine_stack", 5, "string"}, {"breadcrumbs", 6, "repeated Breadcrumb"}, {"process_metadata", 7, "map string"}},
	"Breadcrumb": {{"time", 1, "Timestamp"}, {"stage", 2, "string"}, {"component", 3, "string"}, {"fields", 4, "map string"}},

	"StreamPressureProfilesResponse": {{"list_profiles", 1, "ListProfiles"}, {"fetch_profile", 2, "FetchProfile"}},
	"ListProfiles":                   {{"request_id", 1, "string"}},
	"FetchProfile":                   {{"request_id", 1, "string"}, {"profile_id", 2, "string"}, {"type", 3, "string"}, {"filepath", 4, "string"}},
	"StreamPressureProfilesRequest": {{"record", 1, "PressureProfileRecord"}, {"list_complete", 2, "ProfileListComplete"},
		{"chunk", 3, "ProfileChunk"}},
	"PressureProfileRecord": {{"profile_id", 1, "string"}, {"captured_at", 2, "Timestamp"}, {"source_endpoint", 3, "string"},
		{"rss_bytes", 4, "uint64"}, {"cgroup_limit_bytes", 5, "uint64"}, {"trigger_percent", 6, "uint32"}, {"threshold_bytes", 7, "uint64"},
		{"profiles", 8, "repeated ProfileFile"}},
	"ProfileFile": {{"type", 1, "string"}, {"filename", 2, "string"}, {"filepath", 3, "string"}, {"format", 4, "string"},
		{"size_bytes", 5, "int64"}},
	"ProfileListComplete": {{"request_id", 1, "string"}},
	"ProfileChunk": {{"request_id", 1, "string"}, {"profile_id", 2, "string"}, {"type", 3, "string"}, {"data", 4, "bytes"},
		{"last", 5, "bool"}, {"error", 6, "string"}},

	"StreamSchemaRegistryResponse": {{"request_registry", 1, "bool"}},
	"StreamSchemaRegistryRequest":  {{"group", 1, "SchemaGroup"}, {"done", 2, "bool"}},
	"SchemaGroup":                  {{"group", 1, "string"}, {"objects", 2, "repeated SchemaObject"}, {"error", 3, "string"}},
	"SchemaObject":                 {{"kind", 1, "string"}, {"name", 2, "string"}, {"fingerprint", 3, "uint64"}},

	// Of the database.
	"Metadata": {{"group", 1, "string"}, {"name", 2, "string"}, {"id", 3, "uint32"}, {"create_revision", 4, "int64"}, {"mod_revision", 5, "int64"}},
	"Node": {{"metadata", 1, "Metadata"}, {"roles", 2, "repeated int32"}, {"grpc_address", 3, "string"}, {"http_address", 4, "string"},
		{"created_at", 5, "Timestamp"}, {"labels", 6, "map string"}, {"property_repair_gossip_grpc_address", 7, "string"},
		{"property_schema_grpc_address", 8, "string"}, {"property_schema_gossip_grpc_address", 9, "string"}},
	"GetCurrentNodeResponse":  {{"node", 1, "Node"}},
	"GetClusterStateResponse": {{"route_tables", 1, "map RouteTable"}},
	"RouteTable":              {{"registered", 1, "repeated Node"}, {"active", 2, "repeated string"}, {"evictable", 3, "repeated string"}},
	"InspectAllResponse":      {{"groups", 1, "repeated GroupLifecycleInfo"}},

	"Other": {},
}
