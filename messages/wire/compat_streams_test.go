package wire

import (
	"math"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// The messages of the streams beside that of metrics, field by field: see compat_test.go.

func packed(numbers ...uint64) string {
	var b []byte
	for _, n := range numbers {
		b = protowire.AppendVarint(b, n)
	}
	return string(b)
}

var (
	rawNode = raw{}.message(1, raw{}.text(1, "group").text(2, "data-0").number(3, 7).number(4, 8).number(5, 9)).text(2, packed(2, 3)).
		text(3, "data-0:17912").text(4, "data-0:17913").message(5, rawTime(1767225600, 5)).entry(6, "type", "hot").
		text(7, "repair:1").text(8, "schema:2").text(9, "gossip:3")
	wantNode = messages.DatabaseNode{
		Metadata: messages.DatabaseMetadata{Group: "group", Name: "data-0", ID: 7, CreateRevision: 8, ModRevision: 9},
		Roles:    []messages.DatabaseRole{messages.DatabaseRoleData, messages.DatabaseRoleLiaison}, GRPCAddress: "data-0:17912", HTTPAddress: "data-0:17913",
		CreatedAt: time.Unix(1767225600, 5).UTC(), Labels: map[string]string{"type": "hot"}, PropertyRepairGossipGRPCAddress: "repair:1",
		PropertySchemaGRPCAddress: "schema:2", PropertySchemaGossipGRPCAddress: "gossip:3",
	}

	rawGroup = raw{}.text(1, "sw_metric").text(2, "CATALOG_MEASURE").
			message(3, raw{}.number(1, 2).message(2, raw{}.number(1, 1).number(2, 6)).message(3, raw{}.number(1, 2).number(2, 7)).
				message(4, raw{}.text(1, "warm").number(2, 3).message(3, raw{}.number(1, 2).number(2, 1)).message(4, raw{}.number(1, 2).number(2, 30)).
					text(5, "type=warm").number(6, 1).number(7, 2)).text(5, "hot").text(5, "warm").number(6, 1)).
			message(4, raw{}.message(1, rawNode).message(2, rawSegment).number(3, 1000)).
			text(5, "one").text(5, "two").
			message(6, raw{}.number(1, 2).
				message(2, raw{}.text(1, "measure").text(2, "cpm").number(3, 11).message(4, raw{}.text(1, "data-0").number(2, 12).number(3, -1))).
				message(3, raw{}.text(1, "measure").text(2, "cpm").text(3, "data-0").number(4, 3)))
	rawSegment = raw{}.text(1, "seg-1").text(2, "2026-01-01").text(3, "2026-01-02").
			message(4, raw{}.number(1, 1).number(2, 10).number(3, 20).number(4, 30).message(5, raw{}.number(1, 40).number(2, 50)).
				message(6, raw{}.number(1, 60).number(2, 70).number(3, 80)).number(7, 90)).
			message(5, raw{}.number(1, 100).number(2, 110))
	wantGroup = messages.LifecycleGroup{
		Name: "sw_metric", Catalog: "CATALOG_MEASURE", Errors: []string{"one", "two"},
		Resources: &messages.ResourceOpts{ShardNum: 2, Replicas: 1, SegmentInterval: &messages.IntervalRule{Unit: messages.UnitHour, Num: 6},
			TTL: &messages.IntervalRule{Unit: messages.UnitDay, Num: 7}, DefaultStages: []string{"hot", "warm"},
			Stages: []messages.LifecycleStage{{Name: "warm", ShardNum: 3, Replicas: 2, NodeSelector: "type=warm", Close: true,
				SegmentInterval: &messages.IntervalRule{Unit: messages.UnitDay, Num: 1}, TTL: &messages.IntervalRule{Unit: messages.UnitDay, Num: 30}}}},
		Data: []messages.DataInfo{{Node: &wantNode, DataSizeBytes: 1000, Segments: []messages.SegmentInfo{{ID: "seg-1", TimeRangeStart: "2026-01-01",
			TimeRangeEnd: "2026-01-02", SeriesIndex: &messages.IndexInfo{DataCount: 100, DataSizeBytes: 110},
			Shards: []messages.ShardInfo{{ID: 1, DataCount: 10, DataSizeBytes: 20, PartCount: 30, FilePartCount: 90,
				InvertedIndex: &messages.IndexInfo{DataCount: 40, DataSizeBytes: 50}, SIDX: &messages.IndexInfo{DataCount: 60, DataSizeBytes: 70, PartCount: 80}}}}}}},
		Consistency: &messages.SchemaConsistency{Status: messages.ConsistencyInconsistent,
			Objects: []messages.SchemaObjectState{{Kind: "measure", Name: "cpm", RegistryFingerprint: 11,
				Nodes: []messages.NodeFingerprint{{Node: "data-0", CacheFingerprint: 12, RuntimeFingerprint: math.MaxUint64}}}},
			Issues: []messages.SchemaIssue{{Kind: "measure", Name: "cpm", Node: "data-0", Type: messages.IssueCacheStale}}},
	}

	wantCrash = &messages.Crash{FetchedAt: time.Unix(3, 4).UTC(), SourceEndpoint: "data-0:17912", ArtifactDir: "/tmp/crash/1", Files: []string{"panic.json", "deep-dump.json"},
		Panic: messages.PanicRecord{OccurredAt: time.Unix(1, 2).UTC(), Component: "storage", PanicValue: "boom", Recovered: true, GoroutineStack: "goroutine 1",
			Breadcrumbs:     []messages.Breadcrumb{{Time: time.Unix(5, 6).UTC(), Stage: "flush", Component: "tsdb", Fields: map[string]string{"shard": "1"}}},
			ProcessMetadata: map[string]string{"pid": "17"}}}
	rawCrash = raw{}.message(1, rawTime(3, 4)).text(2, "data-0:17912").text(3, "/tmp/crash/1").
			message(4, raw{}.message(1, rawTime(1, 2)).text(2, "storage").text(3, "boom").number(4, 1).text(5, "goroutine 1").
				message(6, raw{}.message(1, rawTime(5, 6)).text(2, "flush").text(3, "tsdb").entry(4, "shard", "1")).entry(7, "pid", "17")).
			text(5, "panic.json").text(5, "deep-dump.json")

	wantProfile = &messages.PressureProfile{ID: "20260101T000000.000000000Z", CapturedAt: time.Unix(1, 2).UTC(), SourceEndpoint: "data-0:6060", RSSBytes: 100,
		LimitBytes: 200, TriggerPercent: 75, ThresholdBytes: math.MaxUint64,
		Files: []messages.ProfileFile{{Type: "heap", Filename: "heap.pprof", Path: "/var/heap.pprof", Format: "pprof", SizeBytes: 9}}}
	rawProfile = raw{}.text(1, "20260101T000000.000000000Z").message(2, rawTime(1, 2)).text(3, "data-0:6060").number(4, 100).number(5, 200).number(6, 75).
			number(7, -1).message(8, raw{}.text(1, "heap").text(2, "heap.pprof").text(3, "/var/heap.pprof").text(4, "pprof").number(5, 9))
)

// requireReply reads the frame and compares the reply with it, in both directions.
func requireReply(t *testing.T, q messages.Question, frame raw, want Reply) {
	t.Helper()
	got, err := ReadReply(q.Stream(), frame.later())
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Equal(t, fields(t, frame), encoded(t, ReplyFrame(q, want)))
}

func TestBaselineStreamAnswers(t *testing.T) {
	topology := raw{}.message(1, rawTime(1767225600, 5)).message(2, raw{}.message(1, rawNode).message(2, raw{}.text(1, "data-0-data-1").text(2, "data-1").text(3, "data-0")))
	requireReply(t, messages.TopologyQuestion{}, topology, Reply{End: EndYes, Part: &messages.Topology{At: time.Unix(1767225600, 5).UTC(),
		Nodes: []messages.DatabaseNode{wantNode}, Calls: []messages.Call{{ID: "data-0-data-1", Source: "data-0", Target: "data-1"}}}})

	lifecycle := raw{}.message(1, rawTime(1, 2)).text(2, "data-0").message(3, raw{}.message(1, raw{}.text(1, "a.json").text(2, "{}")).message(2, rawGroup))
	requireReply(t, messages.LifecycleQuestion{}, lifecycle, Reply{End: EndYes, Part: &messages.Lifecycle{At: time.Unix(1, 2).UTC(), PodName: "data-0",
		Reports: []messages.LifecycleReport{{Filename: "a.json", JSON: "{}"}}, Groups: []messages.LifecycleGroup{wantGroup}}})

	requireReply(t, messages.CrashQuestion{}, rawCrash, Reply{End: EndUnknown, Part: wantCrash})

	requireReply(t, messages.ProfilesQuestion{}, raw{}.message(1, rawProfile), Reply{Part: wantProfile})
	requireReply(t, messages.ProfilesQuestion{}, raw{}.message(2, raw{}.text(1, "r1")), Reply{End: EndYes, Native: "r1"})
	file := messages.ProfileQuestion{ProfileID: "20260101T000000.000000000Z", Type: "heap"}
	chunk := raw{}.text(1, "r2").text(2, "20260101T000000.000000000Z").text(3, "heap")
	requireReply(t, file, raw{}.message(3, append(chunk[:len(chunk):len(chunk)], raw{}.text(4, "bytes")...)),
		Reply{Native: "r2", Part: &messages.ProfileChunk{Data: []byte("bytes")}})
	requireReply(t, file, raw{}.message(3, append(chunk[:len(chunk):len(chunk)], raw{}.text(4, "end").number(5, 1)...)),
		Reply{Native: "r2", End: EndYes, Part: &messages.ProfileChunk{Data: []byte("end"), Last: true}})
	requireReply(t, file, raw{}.message(3, append(chunk[:len(chunk):len(chunk)], raw{}.number(5, 1).text(6, "gone")...)),
		Reply{Native: "r2", End: EndYes, Error: "gone"})

	group := raw{}.message(1, raw{}.text(1, "sw_metric").message(2, raw{}.text(1, "measure").text(2, "cpm").number(3, -1)))
	requireReply(t, messages.SchemaQuestion{}, group, Reply{Part: &messages.SchemaGroup{Group: "sw_metric",
		Objects: []messages.SchemaObject{{Kind: "measure", Name: "cpm", Fingerprint: math.MaxUint64}}}})
	requireReply(t, messages.SchemaQuestion{}, raw{}.message(1, raw{}.text(3, "no registry")), Reply{Part: &messages.SchemaGroup{Error: "no registry"}})
	requireReply(t, messages.SchemaQuestion{}, raw{}.number(2, 1), Reply{End: EndYes})
}

// What a later version adds within a message is ignored, too.
func TestLaterStreamAnswers(t *testing.T) {
	got, err := ReadReply(messages.StreamTopology, raw{}.message(2, raw{}.message(1, raw{}.message(1, raw{}.text(2, "a").later()).later()).later()))
	require.NoError(t, err)
	require.Equal(t, &messages.Topology{Nodes: []messages.DatabaseNode{{Metadata: messages.DatabaseMetadata{Name: "a"}}}}, got.Part)
}

// The numbers from 100 up are those of this program's own versions.
func TestStreamAnswersHaveTheirNumbers(t *testing.T) {
	more := raw{}.number(100, 7).number(101, 1)
	file := messages.ProfileQuestion{ProfileID: "p", Type: "heap"}
	for _, q := range []messages.Question{messages.TopologyQuestion{}, messages.LifecycleQuestion{}, messages.CrashQuestion{}, messages.ProfilesQuestion{}, messages.SchemaQuestion{}} {
		requireReply(t, q, more, Reply{ID: 7})
	}
	ended := raw{}.number(100, 7).text(102, "busy")
	for _, q := range []messages.Question{messages.TopologyQuestion{}, messages.LifecycleQuestion{}, messages.CrashQuestion{}} {
		requireReply(t, q, ended, Reply{ID: 7, End: EndYes, Error: "busy"})
	}
	native := raw{}.text(1, "7")
	requireReply(t, messages.ProfilesQuestion{}, append(raw{}.message(2, native), ended...), Reply{ID: 7, End: EndYes, Error: "busy", Native: "7"})
	requireReply(t, file, append(raw{}.message(3, raw{}.text(1, "7").text(2, "p").text(3, "heap").text(6, "busy")), ended...),
		Reply{ID: 7, End: EndYes, Error: "busy", Native: "7"})
	requireReply(t, messages.SchemaQuestion{}, append(raw{}.number(2, 1), ended...), Reply{ID: 7, End: EndYes, Error: "busy"})

	requireReply(t, messages.LifecycleQuestion{}, append(raw{}.message(3, raw{}.message(1, raw{}.text(1, "a.json").text(2, "{").number(100, 1))), more...),
		Reply{ID: 7, Part: &messages.Lifecycle{Reports: []messages.LifecycleReport{{Filename: "a.json", JSON: "{", Continues: true}}}})
	requireReply(t, messages.CrashQuestion{}, append(rawCrash[:len(rawCrash):len(rawCrash)], more...), Reply{ID: 7, Part: wantCrash})
	requireReply(t, messages.CrashQuestion{}, raw{}.number(100, 7).number(103, 9), Reply{ID: 7, End: EndYes, Part: messages.CrashRevision(9)})
	requireReply(t, file, append(raw{}.message(3, raw{}.text(1, "7").text(2, "p").text(3, "heap").text(4, "x").number(100, 5)), more...),
		Reply{ID: 7, Native: "7", Part: &messages.ProfileChunk{Data: []byte("x"), FileSize: 5}})
}

func TestStreamQuestionsHaveTheirNumbers(t *testing.T) {
	f := func(q messages.Question, a Ask, frame raw) {
		t.Helper()
		m := NewQuestionFrame(q.Stream())
		require.NoError(t, proto.Unmarshal(frame.later(), m))
		got, ask, err := FromQuestion(m)
		require.NoError(t, err)
		require.Equal(t, q, got)
		require.Equal(t, a, ask)
		require.Equal(t, fields(t, frame), encoded(t, QuestionFrame(q, a)))
	}
	asked := raw{}.number(1, 1)
	ours := raw{}.number(1, 1).number(100, 7).message(101, raw{}.number(1, 2).number(2, 500_000_000))
	ask := Ask{ID: 7, TimeLeft: 2500 * time.Millisecond}
	f(messages.TopologyQuestion{}, Ask{}, asked)
	f(messages.TopologyQuestion{}, ask, ours)
	f(messages.LifecycleQuestion{}, Ask{}, asked)
	f(messages.LifecycleQuestion{}, ask, ours)
	f(messages.SchemaQuestion{}, Ask{}, asked)
	f(messages.SchemaQuestion{}, ask, ours)
	f(messages.CrashQuestion{}, Ask{}, asked)
	f(messages.CrashQuestion{}, ask, ours)
	f(messages.CrashQuestion{Known: map[string]uint64{"": 9}}, Ask{ID: 7, KnownRevision: 9}, raw{}.number(1, 1).number(100, 7).number(102, 9))
	f(messages.ProfilesQuestion{}, Ask{Native: "r1"}, raw{}.message(1, raw{}.text(1, "r1")))
	f(messages.ProfilesQuestion{}, Ask{ID: 7, Native: "7"}, raw{}.message(1, raw{}.text(1, "7")).number(100, 7))
	fetch := raw{}.text(1, "r2").text(2, "p").text(3, "heap").text(4, "/var/heap.pprof")
	f(messages.ProfileQuestion{ProfileID: "p", Type: "heap", Path: "/var/heap.pprof"}, Ask{Native: "r2"}, raw{}.message(2, fetch))
	f(messages.ProfileQuestion{ProfileID: "p", Type: "heap", Path: "/var/heap.pprof", Offset: 5, Length: 6}, Ask{ID: 7, Native: "r2"},
		raw{}.message(2, append(fetch, raw{}.number(100, 5).number(101, 6)...)).number(100, 7))
}

func TestDatabaseMessages(t *testing.T) {
	node := &GetCurrentNodeResponse{}
	require.NoError(t, proto.Unmarshal(raw{}.message(1, rawNode).later(), node))
	require.Equal(t, wantNode, FromNode(node.GetNode()))

	state := &GetClusterStateResponse{}
	table := raw{}.message(1, rawNode).text(2, "data-0").text(3, "data-1")
	require.NoError(t, proto.Unmarshal(raw{}.message(1, raw{}.text(1, "tire1").message(2, table)).later(), state))
	require.Equal(t, wantNode, FromNode(state.GetRouteTables()["tire1"].GetRegistered()[0]))
	require.Equal(t, []string{"data-0"}, state.GetRouteTables()["tire1"].GetActive())
	require.Equal(t, []string{"data-1"}, state.GetRouteTables()["tire1"].GetEvictable())

	all := &InspectAllResponse{}
	require.NoError(t, proto.Unmarshal(raw{}.message(1, rawGroup).later(), all))
	require.Equal(t, wantGroup, FromGroup(all.GetGroups()[0]))

	for _, empty := range []proto.Message{&GetCurrentNodeRequest{}, &GetClusterStateRequest{}, &InspectAllRequest{}} {
		require.Zero(t, empty.ProtoReflect().Descriptor().Fields().Len())
	}
}

func TestMethodsHaveTheirNames(t *testing.T) {
	require.Equal(t, []string{
		"/banyandb.fodc.v1.FODCService/RegisterAgent", "/banyandb.fodc.v1.FODCService/StreamMetrics", "/banyandb.fodc.v1.FODCService/StreamClusterTopology",
		"/banyandb.fodc.v1.FODCService/StreamLifecycle", "/banyandb.fodc.v1.FODCService/StreamCrashDiagnostics",
		"/banyandb.fodc.v1.FODCService/StreamPressureProfiles", "/banyandb.fodc.v1.FODCService/StreamSchemaRegistry",
		"/banyandb.fodc.v1.FODCService/StreamIncidents", "/banyandb.fodc.v1.FODCService/CheckRegistration",
		"/banyandb.fodc.v1.GroupLifecycleService/InspectAll", "/banyandb.database.v1.NodeQueryService/GetCurrentNode",
		"/banyandb.database.v1.ClusterStateService/GetClusterState",
	}, []string{
		FODCService_RegisterAgent_FullMethodName, FODCService_StreamMetrics_FullMethodName, FODCService_StreamClusterTopology_FullMethodName,
		FODCService_StreamLifecycle_FullMethodName, FODCService_StreamCrashDiagnostics_FullMethodName, FODCService_StreamPressureProfiles_FullMethodName,
		FODCService_StreamSchemaRegistry_FullMethodName, FODCService_StreamIncidents_FullMethodName, FODCService_CheckRegistration_FullMethodName,
		GroupLifecycleService_InspectAll_FullMethodName, NodeQueryService_GetCurrentNode_FullMethodName,
		ClusterStateService_GetClusterState_FullMethodName,
	})
}

func TestEnumsHaveTheirNumbers(t *testing.T) {
	f := func(m protoreflect.Enum, want map[int32]string) {
		t.Helper()
		got := map[int32]string{}
		values := m.Descriptor().Values()
		for i := range values.Len() {
			got[int32(values.Get(i).Number())] = string(values.Get(i).Name())
		}
		require.Equal(t, want, got)
	}
	f(Role(0), map[int32]string{0: "ROLE_UNSPECIFIED", 1: "ROLE_META", 2: "ROLE_DATA", 3: "ROLE_LIAISON"})
	f(IntervalRule_Unit(0), map[int32]string{0: "UNIT_UNSPECIFIED", 1: "UNIT_HOUR", 2: "UNIT_DAY"})
	f(ConsistencyStatus(0), map[int32]string{0: "CONSISTENCY_STATUS_UNSPECIFIED", 1: "CONSISTENCY_STATUS_CONSISTENT",
		2: "CONSISTENCY_STATUS_INCONSISTENT", 3: "CONSISTENCY_STATUS_UNKNOWN"})
	f(SchemaIssueType(0), map[int32]string{0: "SCHEMA_ISSUE_TYPE_UNSPECIFIED", 1: "SCHEMA_ISSUE_TYPE_MISSING_IN_CACHE", 2: "SCHEMA_ISSUE_TYPE_ORPHAN",
		3: "SCHEMA_ISSUE_TYPE_CACHE_STALE", 4: "SCHEMA_ISSUE_TYPE_RUNTIME_NOT_APPLIED"})
	for r := range messages.DatabaseRoleLiaison + 1 {
		require.Equal(t, Role(r).String(), r.String())
	}
}
