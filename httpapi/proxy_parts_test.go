package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

var partsAt = time.Date(2026, 1, 1, 12, 0, 0, 5_000_000, time.UTC)

// answered is a node's answer of the parts.
func answered(id string, parts ...messages.Part) messages.NodeAnswer {
	return messages.NodeAnswer{Identity: messages.Identity{NodeID: id, PodName: "pod-" + id, Role: "datanode"}, AgentID: "agent-" + id, Parts: parts}
}

func absent(id string, why messages.MissingReason) messages.NodeAnswer {
	n := answered(id)
	n.Missing = why
	return n
}

func databaseNode(name string, labels map[string]string) messages.DatabaseNode {
	return messages.DatabaseNode{Metadata: messages.DatabaseMetadata{Name: name}, Roles: []messages.DatabaseRole{messages.DatabaseRoleData}, Labels: labels}
}

func TestTopology(t *testing.T) {
	f := newFakeProxy()
	full := messages.DatabaseNode{Metadata: messages.DatabaseMetadata{Group: "g", Name: "data-0:17912", ID: 7, CreateRevision: 8, ModRevision: 9},
		Roles: []messages.DatabaseRole{messages.DatabaseRoleData, messages.DatabaseRoleLiaison, 9}, GRPCAddress: "data-0:17912", HTTPAddress: "data-0:17913",
		CreatedAt: partsAt, Labels: map[string]string{"pod_name": "pod-a"}, PropertyRepairGossipGRPCAddress: "r", PropertySchemaGRPCAddress: "s",
		PropertySchemaGossipGRPCAddress: "t"}
	older := full
	older.Metadata.ModRevision, older.GRPCAddress = 8, "elsewhere"
	f.collection = &messages.Collection{Nodes: []messages.NodeAnswer{
		answered("a", &messages.Topology{Nodes: []messages.DatabaseNode{older, databaseNode("z", nil)}, Calls: []messages.Call{{ID: "z-a", Source: "z", Target: "a"}}},
			&messages.Topology{Nodes: []messages.DatabaseNode{databaseNode("b", nil)}}),
		answered("b", &messages.Topology{Nodes: []messages.DatabaseNode{full}, Calls: []messages.Call{{ID: "b-z", Source: "b", Target: "z"}, {ID: "z-a", Source: "x", Target: "y"}}}),
		absent("old", messages.MissingUnserved), absent("late", messages.MissingTimeout)}}
	f.cluster = messages.Cluster{Nodes: []messages.NodeStatus{
		{Identity: messages.Identity{NodeID: "a", PodName: "pod-a"}, Status: messages.StatusOnline, LastHeartbeat: partsAt},
		{Identity: messages.Identity{NodeID: "b", PodName: "pod-b"}, Status: messages.StatusUnconnected}}}
	w := f.get("/cluster/topology?role=datanode")
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, messages.TopologyQuestion{}, f.query.Question)
	require.Equal(t, []string{"datanode"}, f.query.Filter.Roles)
	require.Equal(t, "late=timeout", w.Header().Get(headerMissing), "that an agent has no topology is no fault")
	require.JSONEq(t, `{"nodes":[
		{"metadata":{"name":"b"},"roles":["ROLE_DATA"],"status":"unconnected"},
		{"metadata":{"group":"g","name":"data-0:17912","id":7,"create_revision":8,"mod_revision":9},
		 "roles":["ROLE_DATA","ROLE_LIAISON","ROLE_UNSPECIFIED"],"grpc_address":"data-0:17912","http_address":"data-0:17913",
		 "created_at":{"seconds":1767268800,"nanos":5000000},"labels":{"pod_name":"pod-a"},
		 "property_repair_gossip_grpc_address":"r","property_schema_grpc_address":"s","property_schema_gossip_grpc_address":"t",
		 "status":"online","last_heartbeat":"2026-01-01T12:00:00.005Z"},
		{"metadata":{"name":"z"},"roles":["ROLE_DATA"]}],
		"calls":[{"id":"b-z","target":"z","source":"b"},{"id":"z-a","target":"a","source":"z"}]}`, w.Body.String())
	require.Equal(t, http.StatusServiceUnavailable, f.get("/cluster/topology?strict=1").Code)
	f.collection = &messages.Collection{}
	require.JSONEq(t, `{"nodes":[],"calls":[]}`, f.get("/cluster/topology").Body.String())
}

func TestLifecycle(t *testing.T) {
	f := newFakeProxy()
	node := databaseNode("n1", nil)
	segment := func(id string, shards ...messages.ShardInfo) messages.SegmentInfo {
		return messages.SegmentInfo{ID: id, TimeRangeStart: "s", TimeRangeEnd: "e", Shards: shards}
	}
	group := func(segments ...messages.SegmentInfo) messages.LifecycleGroup {
		return messages.LifecycleGroup{Name: "g", Data: []messages.DataInfo{{Node: &node, DataSizeBytes: 1 << 60, Segments: segments}}}
	}
	withAll := group(segment("2", messages.ShardInfo{ID: 1, DataCount: 2, DataSizeBytes: 3, PartCount: 4, FilePartCount: 5,
		InvertedIndex: &messages.IndexInfo{DataCount: 6, DataSizeBytes: 7}, SIDX: &messages.IndexInfo{DataCount: 8, DataSizeBytes: 9, PartCount: 10}}))
	withAll.Catalog = "CATALOG_MEASURE"
	withAll.Errors = []string{"no data from n2"}
	withAll.Data[0].Segments[0].SeriesIndex = &messages.IndexInfo{DataCount: 1, DataSizeBytes: 2}
	withAll.Resources = &messages.ResourceOpts{ShardNum: 2, Replicas: 1, SegmentInterval: &messages.IntervalRule{Unit: messages.UnitDay, Num: 1},
		Stages: []messages.LifecycleStage{{Name: "warm", ShardNum: 1, NodeSelector: "type=warm", Close: true, Replicas: 2, TTL: &messages.IntervalRule{Unit: messages.UnitHour, Num: 7}}}}
	withAll.Consistency = &messages.SchemaConsistency{Status: messages.ConsistencyConsistent}
	doubtful := group(segment("1"), segment("2"))
	doubtful.Consistency = &messages.SchemaConsistency{Status: messages.ConsistencyInconsistent,
		Objects: []messages.SchemaObjectState{{Kind: "measure", Name: "m", RegistryFingerprint: 1 << 63, Nodes: []messages.NodeFingerprint{{Node: "n1", CacheFingerprint: 1, RuntimeFingerprint: 2}}}},
		Issues:  []messages.SchemaIssue{{Kind: "measure", Name: "m", Node: "n1", Type: messages.IssueCacheStale}}}
	f.collection = &messages.Collection{Nodes: []messages.NodeAnswer{
		answered("a", &messages.Lifecycle{Reports: []messages.LifecycleReport{{Filename: "r1", JSON: "{", Continues: true}}},
			&messages.Lifecycle{PodName: "z", Reports: []messages.LifecycleReport{{Filename: "r1", JSON: "}"}, {Filename: "r0", JSON: "{}"}}, Groups: []messages.LifecycleGroup{withAll}}),
		answered("b", &messages.Lifecycle{Groups: []messages.LifecycleGroup{doubtful, {Name: "a"}}, Reports: []messages.LifecycleReport{{Filename: "r1", JSON: "1"}}}),
		absent("c", messages.MissingUnserved), absent("d", messages.MissingTimeout), absent("e", messages.MissingUnconnected)}}
	w := f.get("/cluster/lifecycle")
	require.Equal(t, http.StatusOK, w.Code)
	require.JSONEq(t, `{"groups":[
		{"name":"a","catalog":"","resource_opts":null,"data_info":[],"errors":[],"schema_consistency":null},
		{"name":"g","catalog":"CATALOG_MEASURE","resource_opts":{"shard_num":2,"segment_interval":{"unit":"UNIT_DAY","num":1},"ttl":null,
		 "stages":[{"name":"warm","shard_num":1,"segment_interval":null,"ttl":{"unit":"UNIT_HOUR","num":7},"node_selector":"type=warm","close":true,"replicas":2}],
		 "default_stages":[],"replicas":1},
		 "data_info":[{"node":{"metadata":{"group":"","name":"n1","id":0,"create_revision":"0","mod_revision":"0"},"roles":["ROLE_DATA"],"grpc_address":"","http_address":"",
		  "created_at":null,"labels":{},"property_repair_gossip_grpc_address":"","property_schema_grpc_address":"","property_schema_gossip_grpc_address":""},
		  "segment_info":[{"segment_id":"1","time_range_start":"s","time_range_end":"e","shard_info":[],"series_index_info":null},
		   {"segment_id":"2","time_range_start":"s","time_range_end":"e","shard_info":[{"shard_id":1,"data_count":"2","data_size_bytes":"3","part_count":"4",
		    "inverted_index_info":{"data_count":"6","data_size_bytes":"7"},"sidx_info":{"data_count":"8","data_size_bytes":"9","part_count":"10"},"file_part_count":"5"}],
		    "series_index_info":{"data_count":"1","data_size_bytes":"2"}}],
		  "data_size_bytes":"1152921504606846976"}],
		 "errors":["no data from n2"],
		 "schema_consistency":{"status":"CONSISTENCY_STATUS_INCONSISTENT",
		  "objects":[{"kind":"measure","name":"m","registry_fingerprint":"9223372036854775808","node_fingerprints":[{"node":"n1","cache_fingerprint":"1","runtime_fingerprint":"2"}]}],
		  "issues":[{"kind":"measure","name":"m","node":"n1","type":"SCHEMA_ISSUE_TYPE_CACHE_STALE"}]}}],
		"lifecycle_statuses":[{"pod_name":"pod-a","reports":[{"filename":"r1","report_json":"{}"},{"filename":"r0","report_json":"{}"}]},
		 {"pod_name":"pod-b","reports":[{"filename":"r1","report_json":"1"}]}],
		"agent_summary":{"total":5,"requested":3,"responded":2,"not_responded":1}}`, w.Body.String())

	f.consistency = map[string]*messages.SchemaConsistency{"g": {Status: messages.ConsistencyUnknown}}
	require.Contains(t, f.get("/cluster/lifecycle").Body.String(), `"schema_consistency":{"status":"CONSISTENCY_STATUS_UNKNOWN","objects":[],"issues":[]}`)
}

// An agent cannot give its reports the name of another node's pod: the one with which it has registered is shown.
func TestReportsInTheNameOfAnotherPod(t *testing.T) {
	f := newFakeProxy()
	f.collection = &messages.Collection{Nodes: []messages.NodeAnswer{
		answered("a", &messages.Lifecycle{PodName: "pod-b", Reports: []messages.LifecycleReport{{Filename: "forged", JSON: "{}"}}}),
		answered("b", &messages.Lifecycle{PodName: "pod-b", Reports: []messages.LifecycleReport{{Filename: "true", JSON: "{}"}}})}}
	var v lifecycleView
	require.NoError(t, json.Unmarshal(f.get("/cluster/lifecycle").Body.Bytes(), &v))
	require.Equal(t, []lifecycleStatusView{{"pod-a", []reportView{{"forged", "{}"}}}, {"pod-b", []reportView{{"true", "{}"}}}}, v.Statuses)
}

func TestLifecycleThatNobodyAnswers(t *testing.T) {
	f := newFakeProxy()
	says := func(wantError string) {
		t.Helper()
		w := f.get("/cluster/lifecycle")
		require.Equal(t, http.StatusOK, w.Code)
		var v lifecycleView
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &v))
		require.Equal(t, wantError, v.Error)
		require.Contains(t, w.Body.String(), `"groups":[],"lifecycle_statuses":[]`)
	}
	says("no node is registered that the request selects")
	f.collection = &messages.Collection{Nodes: []messages.NodeAnswer{absent("a", messages.MissingTimeout), absent("b", messages.MissingUnserved)}}
	says("no agent has answered: a=timeout")
	f.collection = &messages.Collection{Nodes: []messages.NodeAnswer{absent("b", messages.MissingUnserved)}}
	says("no agent serves lifecycle data")
	f.collectErr = messages.Errorf(messages.ErrUnavailable, "busy")
	says("busy")
	f.collectErr = context.DeadlineExceeded
	says("no answer in time")
}

func TestDiagnostics(t *testing.T) {
	f := newFakeProxy()
	crash := func(node string, at time.Time) messages.KnownCrash {
		return messages.KnownCrash{Identity: messages.Identity{NodeID: node, PodName: "pod-" + node, Role: "datanode"}, AgentID: "agent",
			Crash: messages.Crash{FetchedAt: partsAt.Add(time.Second), ArtifactDir: "dir", Panic: messages.PanicRecord{OccurredAt: at, PanicValue: "boom"}}}
	}
	newest := crash("b", partsAt)
	newest.SourceEndpoint, newest.Files = "e", []string{"deep-dump.json"}
	newest.Panic = messages.PanicRecord{OccurredAt: partsAt, Component: "storage", PanicValue: "<boom>", Recovered: true, GoroutineStack: "goroutine 1",
		Breadcrumbs: []messages.Breadcrumb{{Time: partsAt, Stage: "write", Component: "part", Fields: map[string]string{"k": "v"}}, {}}, ProcessMetadata: map[string]string{"pid": "7"}}
	f.crashes = messages.CrashList{Crashes: []messages.KnownCrash{crash("a", partsAt.Add(-time.Hour)), newest},
		Asked: messages.Collection{Nodes: []messages.NodeAnswer{absent("a", messages.MissingUnconnected)}}}
	w := f.get("/diagnostics?node_id=a&node_id=b&role=datanode&pod_name=p")
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, messages.NodeFilter{NodeIDs: []string{"a", "b"}, Roles: []string{"datanode"}, PodNames: []string{"p"}}, f.filter)
	require.Equal(t, "a=unconnected", w.Header().Get(headerMissing))
	require.JSONEq(t, `[{"fetched_at":"2026-01-01T12:00:01.005Z","panic_record":{"occurred_at":"2026-01-01T12:00:00.005Z","component":"storage","panic_value":"<boom>",
		"recovered":true,"goroutine_stack":"goroutine 1","breadcrumbs":[{"time":"2026-01-01T12:00:00.005Z","stage":"write","component":"part","fields":{"k":"v"}},
		{"stage":"","component":"","fields":{}}],"process_metadata":{"pid":"7"}},"agent_id":"agent","pod_name":"pod-b","node_id":"b","role":"datanode",
		"source_endpoint":"e","artifact_dir":"dir","files":["deep-dump.json"]},
		{"fetched_at":"2026-01-01T12:00:01.005Z","panic_record":{"occurred_at":"2026-01-01T11:00:00.005Z","component":"","panic_value":"boom","recovered":false,
		"goroutine_stack":"","breadcrumbs":[],"process_metadata":{}},"agent_id":"agent","pod_name":"pod-a","node_id":"a","role":"datanode","source_endpoint":"",
		"artifact_dir":"dir","files":[]}]`, w.Body.String())
	require.Equal(t, http.StatusServiceUnavailable, f.get("/diagnostics?strict=1").Code)
	f.crashes = messages.CrashList{}
	require.JSONEq(t, `[]`, f.get("/diagnostics").Body.String())
	f.collectErr = messages.Errorf(messages.ErrUnavailable, "busy")
	require.Equal(t, http.StatusServiceUnavailable, f.get("/diagnostics").Code)
}

// profiled is a proxy with two profiles of a node.
func profiled() *fakeProxy {
	f := newFakeProxy()
	record := func(id string, at time.Time) *messages.PressureProfile {
		return &messages.PressureProfile{ID: id, CapturedAt: at, SourceEndpoint: "e", RSSBytes: 1, LimitBytes: 2, ThresholdBytes: 3, TriggerPercent: 75,
			Files: []messages.ProfileFile{{Type: "heap", Filename: "heap.pprof", Path: "/d/" + id + "/heap.pprof", Format: "pprof", SizeBytes: 6}}}
	}
	f.collection = &messages.Collection{Nodes: []messages.NodeAnswer{answered("a", record("old", partsAt), record("new", partsAt.Add(time.Hour))), absent("u", messages.MissingUnserved)}}
	return f
}

func TestPressureProfiles(t *testing.T) {
	f := profiled()
	w := f.get("/pressure-profiles?pod_name=pod-a")
	require.Equal(t, []string{"pod-a"}, f.query.Filter.PodNames)
	require.Empty(t, w.Header().Get(headerMissing))
	one := func(id, at string) string {
		return `{"captured_at":"` + at + `","agent_id":"agent-a","pod_name":"pod-a","node_id":"a","role":"datanode","profile_id":"` + id + `","source_endpoint":"e",
			"profiles":[{"type":"heap","filename":"heap.pprof","filepath":"/d/` + id + `/heap.pprof","format":"pprof","size_bytes":6}],
			"rss_bytes":1,"cgroup_limit_bytes":2,"threshold_bytes":3,"trigger_percent":75}`
	}
	require.JSONEq(t, "["+one("new", "2026-01-01T13:00:00.005Z")+","+one("old", "2026-01-01T12:00:00.005Z")+"]", w.Body.String())
}

func TestProfileDownload(t *testing.T) {
	f := profiled()
	f.download = func(d messages.Download, write func(*messages.ProfileChunk) error) error {
		require.Equal(t, messages.Download{NodeID: "a", Size: 6, Question: messages.ProfileQuestion{ProfileID: "old", Type: "heap", Path: "/d/old/heap.pprof"}}, d)
		return errors.Join(write(&messages.ProfileChunk{Data: []byte("abc")}), write(&messages.ProfileChunk{Data: []byte("def"), Last: true}))
	}
	w := f.get("/pressure-profiles/pod-a/old/heap")
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "abcdef", w.Body.String())
	require.Equal(t, "6", w.Header().Get("Content-Length"))
	require.Equal(t, `attachment; filename=pod-a-datanode-old-heap.pprof`, w.Header().Get("Content-Disposition"))
	require.Equal(t, "application/octet-stream", w.Header().Get("Content-Type"))

	fails := func(path string, want int, text string) {
		t.Helper()
		w := f.get("/pressure-profiles/" + path)
		require.Equal(t, want, w.Code)
		require.Contains(t, w.Body.String(), text)
		require.Empty(t, w.Header().Get("Content-Disposition"))
	}
	fails("pod-a/old/cpu", http.StatusBadRequest, `type \"cpu\": allowed are heap, goroutine`)
	fails("pod-a/old/goroutine", http.StatusNotFound, "any more")
	fails("pod-a/none/heap", http.StatusNotFound, "any more")
	fails("pod-a/old", http.StatusNotFound, "page not found")
	f.download = func(messages.Download, func(*messages.ProfileChunk) error) error {
		return messages.Errorf(messages.ErrNotFound, "the file is gone")
	}
	fails("pod-a/old/heap", http.StatusNotFound, "the file is gone")
	f.collection.Nodes = []messages.NodeAnswer{absent("a", messages.MissingTimeout)}
	fails("pod-a/old/heap", http.StatusServiceUnavailable, "a=timeout")
	f.collection.Nodes = nil
	fails("pod-a/old/heap", http.StatusNotFound, "no node of the pod")
}

// A profile is compressed by itself: its length is known to the client.
func TestProfilesAreNotCompressedAgain(t *testing.T) {
	f := profiled()
	f.collection.Nodes[0].Parts[0].(*messages.PressureProfile).Files[0].SizeBytes = 4 << 10
	f.download = func(_ messages.Download, write func(*messages.ProfileChunk) error) error {
		return write(&messages.ProfileChunk{Data: make([]byte, 4<<10), Last: true})
	}
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		w := do(f.handler, method, "/pressure-profiles/pod-a/old/heap", "Accept-Encoding", "gzip")
		require.Empty(t, w.Header().Get("Content-Encoding"), method)
		require.Equal(t, "4096", w.Header().Get("Content-Length"), method)
	}
}

// The records of crashes, and the parts of answers, take memory while clients read them, as samples do.
func TestPagesOfPartsAreBounded(t *testing.T) {
	const limit = 1 << 20
	f := newFakeProxy()
	f.MaxInFlightBytes = limit
	other := &messages.Collection{Nodes: []messages.NodeAnswer{answered("x", &messages.Crash{ArtifactDir: strings.Repeat("x", limit/2)})}}
	f.crashes.Crashes = []messages.KnownCrash{{Crash: messages.Crash{Panic: messages.PanicRecord{GoroutineStack: strings.Repeat("x", limit)}}}}
	f.collection = &messages.Collection{Nodes: []messages.NodeAnswer{answered("a", &messages.Topology{Nodes: []messages.DatabaseNode{databaseNode(strings.Repeat("x", limit/3), nil)}})}}
	release, err := f.inFlight.acquireBytes(other, 0, limit)
	require.NoError(t, err)
	require.Equal(t, http.StatusServiceUnavailable, f.get("/diagnostics").Code)
	require.Equal(t, http.StatusServiceUnavailable, f.get("/cluster/topology").Code, "the answers, and as much for their page")
	release()
	require.Equal(t, http.StatusOK, f.get("/diagnostics").Code, "alone it may have any size")
	require.Equal(t, http.StatusOK, f.get("/cluster/topology").Code)
	require.Zero(t, f.inFlight.bytes)
}

// What is cut in the middle is not taken for whole, whether its size is known or not.
func TestProfileThatIsCut(t *testing.T) {
	for _, size := range []int64{6, 0} {
		f := profiled()
		f.collection.Nodes[0].Parts[0].(*messages.PressureProfile).Files[0].SizeBytes = size
		f.download = func(_ messages.Download, write func(*messages.ProfileChunk) error) error {
			return errors.Join(write(&messages.ProfileChunk{Data: []byte("abc")}), errors.New("the session broke"))
		}
		server := httptest.NewServer(f.handler)
		t.Cleanup(server.Close)
		response, err := http.Get(server.URL + "/pressure-profiles/pod-a/old/heap")
		if err != nil { // The connection is cut before its headers are sent.
			continue
		}
		_, err = io.ReadAll(response.Body)
		require.Error(t, err)
		require.NoError(t, response.Body.Close())
	}
}

func TestProfileNamesAreHarmless(t *testing.T) {
	f := profiled()
	f.collection.Nodes[0].Identity.Role = "a\"b\r\nX: y/é"
	f.download = func(_ messages.Download, write func(*messages.ProfileChunk) error) error {
		return write(&messages.ProfileChunk{Data: []byte("abc"), Last: true})
	}
	got := f.get("/pressure-profiles/pod-a/old/heap").Header().Get("Content-Disposition")
	require.False(t, strings.ContainsAny(got, "\r\n/"), got)
	require.True(t, strings.HasPrefix(got, "attachment; "), got)
}
