package wire

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// long has a character of two bytes across each limit.
var long = "x" + strings.Repeat("é", 1<<20)

// Texts are cut on both sides: an agent does not send what a proxy would not take.
func TestTextsAreCut(t *testing.T) {
	fill := func(v any) { fillTexts(reflect.ValueOf(v).Elem()) }
	crash := &messages.Crash{Files: make([]string, 1), Panic: messages.PanicRecord{Breadcrumbs: make([]messages.Breadcrumb, 1)}}
	fill(crash)
	for _, got := range []messages.Part{
		replied(t, messages.CrashQuestion{}, Reply{ID: 1, Part: crash}).Part,
		readFrame(t, messages.StreamCrashes, &StreamCrashDiagnosticsRequest{SourceEndpoint: long, ArtifactDir: long, Files: []string{long},
			PanicRecord: &PanicRecord{Component: long, PanicValue: long, GoroutineStack: long, ProcessMetadata: map[string]string{long: long},
				Breadcrumbs: []*Breadcrumb{{Stage: long, Component: long, Fields: map[string]string{long: long}}}}}),
	} {
		requireTexts(t, got, map[int]int{messages.MaxTextBytes: 10, maxPanicValueBytes: 1, maxStackBytes: 1})
	}

	topology := &messages.Topology{Nodes: make([]messages.DatabaseNode, 1), Calls: make([]messages.Call, 1)}
	fill(topology)
	requireTexts(t, replied(t, messages.TopologyQuestion{}, Reply{Part: topology}).Part, map[int]int{messages.MaxTextBytes: 12})

	lifecycle := exampleLifecycle()
	fill(lifecycle)
	requireTexts(t, replied(t, messages.LifecycleQuestion{}, Reply{Part: lifecycle}).Part, map[int]int{messages.MaxTextBytes: 26, MaxReportBytes: 1})

	schema := &messages.SchemaGroup{Objects: make([]messages.SchemaObject, 1)}
	fill(schema)
	requireTexts(t, replied(t, messages.SchemaQuestion{}, Reply{Part: schema}).Part, map[int]int{messages.MaxTextBytes: 4})

	profile := exampleProfile()
	fill(profile)
	requireTexts(t, replied(t, messages.ProfilesQuestion{}, Reply{Part: profile}).Part, map[int]int{messages.MaxTextBytes: 6})

	for _, q := range []messages.Question{messages.TopologyQuestion{}, messages.LifecycleQuestion{}, messages.CrashQuestion{}, messages.ProfilesQuestion{},
		messages.ProfileQuestion{}, messages.SchemaQuestion{}} {
		require.Len(t, replied(t, q, Reply{ID: 1, Error: long}).Error, messages.MaxTextBytes)
	}
	require.Len(t, readReply(t, messages.StreamProfiles, &StreamPressureProfilesRequest{Answer: &StreamPressureProfilesRequest_Chunk{
		Chunk: &ProfileChunk{RequestId: long, Error: long}}}).Error, messages.MaxTextBytes)
}

// fillTexts sets all texts within the value, and an entry of each map.
func fillTexts(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(long)
	case reflect.Pointer:
		if !v.IsNil() {
			fillTexts(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			fillTexts(v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]string{long: long}))
	case reflect.Struct:
		if _, isTime := v.Interface().(time.Time); !isTime {
			for i := range v.NumField() {
				fillTexts(v.Field(i))
			}
		}
	}
}

// requireTexts compares how many texts of which length there are in the part.
func requireTexts(t *testing.T, p messages.Part, want map[int]int) {
	t.Helper()
	got := map[int]int{}
	var count func(v reflect.Value)
	count = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.String:
			got[v.Len()]++
		case reflect.Pointer:
			if !v.IsNil() {
				count(v.Elem())
			}
		case reflect.Slice:
			for i := range v.Len() {
				count(v.Index(i))
			}
		case reflect.Map:
			for _, key := range v.MapKeys() {
				count(key)
				count(v.MapIndex(key))
			}
		case reflect.Struct:
			if _, isTime := v.Interface().(time.Time); !isTime {
				for i := range v.NumField() {
					count(v.Field(i))
				}
			}
		}
	}
	count(reflect.ValueOf(p))
	require.Equal(t, want, got)
}

func readReply(t *testing.T, s messages.Stream, frame proto.Message) Reply {
	t.Helper()
	b, err := proto.Marshal(frame)
	require.NoError(t, err)
	r, err := ReadReply(s, b)
	require.NoError(t, err)
	return r
}

func readFrame(t *testing.T, s messages.Stream, frame proto.Message) messages.Part {
	t.Helper()
	return readReply(t, s, frame).Part
}

func TestTextsThatAreNotValidAreSent(t *testing.T) {
	bad := "a\xffb"
	got := replied(t, messages.CrashQuestion{}, Reply{ID: 1, Error: bad, Part: &messages.Crash{ArtifactDir: bad, Files: []string{bad},
		Panic: messages.PanicRecord{GoroutineStack: bad, PanicValue: bad, ProcessMetadata: map[string]string{bad: bad, "a?b": "taken"}}}})
	require.Equal(t, "a?b", got.Error)
	require.Equal(t, &messages.Crash{ArtifactDir: "a?b", Files: []string{"a?b"},
		Panic: messages.PanicRecord{GoroutineStack: "a?b", PanicValue: "a?b", ProcessMetadata: map[string]string{"a?b": "taken"}}}, got.Part)
	q, _, err := FromQuestion(sent(t, QuestionFrame(messages.ProfileQuestion{Path: bad}, Ask{}), NewQuestionFrame(messages.StreamProfiles)))
	require.NoError(t, err)
	require.Equal(t, messages.ProfileQuestion{Path: "a?b"}, q)

	_, err = ReadReply(messages.StreamTopology, raw{}.message(2, raw{}.message(2, raw{}.text(1, bad))))
	require.ErrorContains(t, err, "UTF-8", "no peer can send it")
}

func TestListsAreCut(t *testing.T) {
	labels := map[string]string{}
	for i := range 1000 {
		labels[fmt.Sprintf("label-%03d", i)] = "v"
	}
	many := make([]string, 5000)
	node := messages.DatabaseNode{Metadata: messages.DatabaseMetadata{Name: "a"}, Labels: labels, Roles: make([]messages.DatabaseRole, 100)}
	wantLabels := map[string]string{}
	for i := range maxNodeLabels {
		wantLabels[fmt.Sprintf("label-%03d", i)] = "v"
	}
	for _, got := range []messages.DatabaseNode{FromNode(NodeFrame(node)), FromNode(&Node{Labels: labels, Roles: make([]Role, 100)})} {
		require.Equal(t, wantLabels, got.Labels, "those that are first by name")
		require.Len(t, got.Roles, maxNodeRoles)
	}

	crash := &messages.Crash{Files: many, Panic: messages.PanicRecord{ProcessMetadata: labels, Breadcrumbs: make([]messages.Breadcrumb, 5000)}}
	crash.Panic.Breadcrumbs[0].Fields = labels
	got := replied(t, messages.CrashQuestion{}, Reply{ID: 1, Part: crash}).Part.(*messages.Crash)
	require.Len(t, got.Files, maxCrashFiles)
	require.Len(t, got.Panic.Breadcrumbs, maxBreadcrumbs)
	require.Len(t, got.Panic.Breadcrumbs[0].Fields, maxCrashFields)
	require.Len(t, got.Panic.ProcessMetadata, maxProcessEntries)

	group := messages.LifecycleGroup{Name: "g", Errors: many, Resources: &messages.ResourceOpts{DefaultStages: many, Stages: make([]messages.LifecycleStage, 1000)}}
	lifecycle := replied(t, messages.LifecycleQuestion{}, Reply{ID: 1, Part: &messages.Lifecycle{Reports: make([]messages.LifecycleReport, 1000),
		Groups: []messages.LifecycleGroup{group}}}).Part.(*messages.Lifecycle)
	require.Len(t, lifecycle.Reports, maxReports)
	require.Len(t, lifecycle.Groups[0].Errors, maxGroupErrors)
	require.Len(t, lifecycle.Groups[0].Resources.DefaultStages, maxStages)
	require.Len(t, lifecycle.Groups[0].Resources.Stages, maxStages)

	files := make([]messages.ProfileFile, 1000)
	for i := range files {
		files[i].Type = "heap"
	}
	profile := replied(t, messages.ProfilesQuestion{}, Reply{ID: 1, Part: &messages.PressureProfile{ID: "p", Files: files}}).Part.(*messages.PressureProfile)
	require.Len(t, profile.Files, maxProfileFiles)
}

func TestWhatHasNoNameIsLeftOut(t *testing.T) {
	require.Equal(t, &messages.Topology{Nodes: []messages.DatabaseNode{{Metadata: messages.DatabaseMetadata{Name: "a"}}}, Calls: []messages.Call{{Source: "a", Target: "b"}}},
		readFrame(t, messages.StreamTopology, &StreamClusterTopologyRequest{Topology: &Topology{
			Nodes: []*Node{{GrpcAddress: "x"}, {Metadata: &Metadata{Name: "a"}}, {}}, Calls: []*Call{{Id: "x"}, {Source: "a"}, {Target: "b"}, {Source: "a", Target: "b"}}}}))
	require.Equal(t, &messages.Lifecycle{Groups: []messages.LifecycleGroup{{Name: "g"}}},
		readFrame(t, messages.StreamLifecycle, &StreamLifecycleRequest{LifecycleData: &LifecycleData{Groups: []*GroupLifecycleInfo{{Catalog: "x"}, {Name: "g"}}}}))
	require.Equal(t, &messages.PressureProfile{ID: "p", Files: []messages.ProfileFile{{Type: "heap"}}},
		readFrame(t, messages.StreamProfiles, &StreamPressureProfilesRequest{Answer: &StreamPressureProfilesRequest_Record{Record: &PressureProfileRecord{
			ProfileId: "p", Profiles: []*ProfileFile{{Filename: "x"}, {Type: "heap", SizeBytes: -1}}}}}))
	require.Nil(t, readFrame(t, messages.StreamProfiles, &StreamPressureProfilesRequest{Answer: &StreamPressureProfilesRequest_Record{Record: &PressureProfileRecord{RssBytes: 1}}}))
	require.Equal(t, &messages.SchemaGroup{Group: "g", Objects: []messages.SchemaObject{{Name: "o"}}},
		readFrame(t, messages.StreamSchema, &StreamSchemaRegistryRequest{Group: &SchemaGroup{Group: "g", Objects: []*SchemaObject{{Kind: "x"}, {Name: "o"}}}}))
	require.Nil(t, readFrame(t, messages.StreamSchema, &StreamSchemaRegistryRequest{Group: &SchemaGroup{Objects: []*SchemaObject{{Name: "o"}}}}))
	require.Equal(t, EndYes, readReply(t, messages.StreamSchema, &StreamSchemaRegistryRequest{RequestId: 1}).End, "done is of the baseline")
	for _, s := range []messages.Stream{messages.StreamTopology, messages.StreamLifecycle, messages.StreamProfiles, messages.StreamSchema} {
		r, err := ReadReply(s, nil)
		require.NoError(t, err)
		require.Nil(t, r.Part)
	}
	r, err := ReadReply(messages.StreamCrashes, nil)
	require.NoError(t, err)
	require.Equal(t, Reply{End: EndUnknown}, r)
}

func TestNumbersAndTimesThatMeanNothing(t *testing.T) {
	never := &timestamppb.Timestamp{Seconds: math.MaxInt64, Nanos: -1}
	node := FromNode(&Node{Roles: []Role{3, 4, -1}, CreatedAt: never})
	require.Equal(t, []messages.DatabaseRole{messages.DatabaseRoleLiaison, 0, 0}, node.Roles)
	require.Zero(t, node.CreatedAt)
	require.Equal(t, []Role{3, 0, 0}, NodeFrame(messages.DatabaseNode{Roles: []messages.DatabaseRole{3, 4, -1}}).GetRoles())
	group := FromGroup(&GroupLifecycleInfo{ResourceOpts: &ResourceOpts{Ttl: &IntervalRule{Unit: 3}, SegmentInterval: &IntervalRule{Unit: -1}},
		SchemaConsistency: &SchemaConsistency{Status: 4, Issues: []*SchemaIssue{{Type: 5}, {Type: 4}}}})
	require.Equal(t, messages.LifecycleGroup{Resources: &messages.ResourceOpts{TTL: &messages.IntervalRule{}, SegmentInterval: &messages.IntervalRule{}},
		Consistency: &messages.SchemaConsistency{Issues: []messages.SchemaIssue{{}, {Type: messages.IssueRuntimeNotApplied}}}}, group)
	require.Equal(t, &messages.Crash{Panic: messages.PanicRecord{Breadcrumbs: make([]messages.Breadcrumb, 1)}},
		readFrame(t, messages.StreamCrashes, &StreamCrashDiagnosticsRequest{FetchedAt: never, PanicRecord: &PanicRecord{OccurredAt: never, Breadcrumbs: []*Breadcrumb{{Time: never}}}}))
	require.Equal(t, &messages.PressureProfile{ID: "p"}, readFrame(t, messages.StreamProfiles, &StreamPressureProfilesRequest{
		Answer: &StreamPressureProfilesRequest_Record{Record: &PressureProfileRecord{ProfileId: "p", CapturedAt: never}}}))
	require.Equal(t, messages.DatabaseNode{}, FromNode(nil))
	require.Equal(t, messages.LifecycleGroup{}, FromGroup(nil))
}

func TestChunksOfProfilesAreBounded(t *testing.T) {
	f := func(bytes int, want string) {
		t.Helper()
		b, err := proto.Marshal(ReplyFrame(messages.ProfileQuestion{}, Reply{Native: "r", Part: &messages.ProfileChunk{Data: make([]byte, bytes)}}))
		require.NoError(t, err)
		r, err := ReadReply(messages.StreamProfiles, b)
		require.Equal(t, "r", r.Native)
		if want != "" {
			require.EqualError(t, err, want)
			require.Nil(t, r.Part)
			return
		}
		require.NoError(t, err)
		require.Len(t, r.Part.(*messages.ProfileChunk).Data, bytes)
	}
	f(1<<20, "")
	f(1<<20+1, "a chunk of a profile of 1048577 bytes, at most 1048576 are allowed")
}

// A few megabytes of nothing but empty messages would take hundreds of them in memory.
func TestFramesOfEmptyMessagesAreRefused(t *testing.T) {
	f := func(s messages.Stream, b raw, ok bool) {
		t.Helper()
		r, err := ReadReply(s, b)
		if ok {
			require.NoError(t, err)
			return
		}
		require.ErrorContains(t, err, "elements in a message of")
		require.Equal(t, Reply{}, r)
	}
	repeat := func(field protowire.Number, m raw, n int) raw {
		return raw(strings.Repeat(string(raw{}.message(field, m)), n))
	}
	f(messages.StreamTopology, raw{}.message(2, repeat(1, nil, 20<<10)), true)
	f(messages.StreamTopology, raw{}.message(2, repeat(1, nil, 60<<10)), false)
	f(messages.StreamTopology, raw{}.message(2, repeat(1, raw{}.message(1, raw{}.text(2, "n")), 2<<20/7)), false)
	f(messages.StreamTopology, raw{}.message(2, repeat(1, rawNode, 3<<20/len(rawNode))), true)
	f(messages.StreamTopology, raw{}.message(2, repeat(1, raw{}.entry(6, "", ""), 1<<20)), false)
	f(messages.StreamLifecycle, raw{}.message(3, repeat(2, rawGroup, 3<<20/len(rawGroup))), true)
	f(messages.StreamLifecycle, raw{}.message(3, raw{}.message(2, raw{}.text(1, "g").message(4, raw{}.message(2, repeat(4, nil, 1<<20))))), false)
	f(messages.StreamCrashes, raw{}.message(4, repeat(6, nil, 1<<20)), false)
	f(messages.StreamProfiles, raw{}.message(1, repeat(8, nil, 1<<20)), false)
	f(messages.StreamSchema, raw{}.message(1, repeat(2, nil, 1<<20)), false)
	shard := raw{}.number(1, 1).number(2, 5000).message(5, raw{}.number(1, 5000)).message(6, raw{}.number(1, 5000))
	f(messages.StreamLifecycle, raw{}.message(3, raw{}.message(2, raw{}.text(1, "g").message(4, raw{}.message(2, repeat(4, shard, 80<<10))))), true)
}

func TestWhatIsNoReplyIsAnError(t *testing.T) {
	for _, s := range []messages.Stream{messages.StreamTopology, messages.StreamLifecycle, messages.StreamCrashes, messages.StreamProfiles, messages.StreamSchema, messages.StreamIncidents} {
		_, err := ReadReply(s, []byte{0x0a, 5, 1})
		require.Error(t, err)
	}
	_, err := ReadReply(messages.StreamMetrics, nil)
	require.EqualError(t, err, `the stream "metrics" has no answers`)
	require.Nil(t, NewQuestionFrame(messages.StreamMetrics))
	require.Nil(t, QuestionFrame(nil, Ask{}))
	require.Nil(t, ReplyFrame(nil, Reply{}))
	require.Nil(t, ReplyFrame(nil, Reply{ID: 1}))
}

func TestQuestionsThatCannotBeAnswered(t *testing.T) {
	for _, s := range []messages.Stream{messages.StreamTopology, messages.StreamLifecycle, messages.StreamCrashes, messages.StreamProfiles, messages.StreamSchema, messages.StreamIncidents} {
		_, _, err := FromQuestion(NewQuestionFrame(s))
		require.ErrorIs(t, err, ErrNothingAsked)
	}
	_, _, err := FromQuestion(&StreamMetricsRequest{})
	require.EqualError(t, err, "a frame of the type *wire.StreamMetricsRequest asks nothing")
	f := func(fetch *FetchProfile, native, want string) {
		t.Helper()
		q, a, err := FromQuestion(&StreamPressureProfilesResponse{RequestId: 7, Request: &StreamPressureProfilesResponse_FetchProfile{FetchProfile: fetch}})
		require.EqualError(t, err, want)
		require.Equal(t, messages.ProfileQuestion{}, q)
		require.Equal(t, Ask{ID: 7, Native: native}, a)
	}
	longer := strings.Repeat("x", messages.MaxTextBytes+1)
	f(&FetchProfile{RequestId: "r", ProfileId: longer}, "r", "profile_id of 4097 bytes, at most 4096 are allowed")
	f(&FetchProfile{RequestId: "r", Type: longer}, "r", "type of 4097 bytes, at most 4096 are allowed")
	f(&FetchProfile{RequestId: "r", Filepath: longer}, "r", "filepath of 4097 bytes, at most 4096 are allowed")
	f(&FetchProfile{RequestId: longer}, "", "request_id of 4097 bytes, at most 4096 are allowed")
	f(&FetchProfile{RequestId: "r", Offset: -1}, "r", "length 0 from offset -1: numbers from 0 are allowed")
	f(&FetchProfile{RequestId: "r", Length: -1}, "r", "length -1 from offset 0: numbers from 0 are allowed")
	q, a, err := FromQuestion(&StreamClusterTopologyResponse{RequestTopology: true, RequestId: 7, TimeLeft: durationpb.New(-time.Second)})
	require.EqualError(t, err, "time_left of -1 s and 0 ns: more than 0 is allowed")
	require.Equal(t, messages.TopologyQuestion{}, q)
	require.Equal(t, Ask{ID: 7}, a)
}

// An agent without ids gets nothing that it does not know, and a proxy without ids an answer in its own form
// in any case.
func TestTheBaselineFormIsAlwaysWhole(t *testing.T) {
	for _, q := range []messages.Question{messages.TopologyQuestion{}, messages.LifecycleQuestion{}, messages.CrashQuestion{Known: map[string]uint64{"": 1}},
		messages.ProfilesQuestion{}, messages.ProfileQuestion{Offset: 1, Length: 2}, messages.SchemaQuestion{}} {
		requireBaselineFields(t, QuestionFrame(q, Ask{TimeLeft: time.Second, KnownRevision: 3, Native: "9"}))
	}
	ended := Reply{End: EndYes, Error: "no database", Native: "r"}
	f := func(q messages.Question, r Reply, want proto.Message) {
		t.Helper()
		got := ReplyFrame(q, r)
		if want == nil {
			require.Nil(t, got)
			return
		}
		require.True(t, proto.Equal(want, got), "%v", got)
	}
	f(messages.TopologyQuestion{}, ended, &StreamClusterTopologyRequest{Topology: &Topology{}})
	f(messages.LifecycleQuestion{}, ended, &StreamLifecycleRequest{LifecycleData: &LifecycleData{}})
	f(messages.CrashQuestion{}, ended, nil)
	f(messages.CrashQuestion{}, Reply{End: EndYes, Part: messages.CrashRevision(1)}, nil)
	f(messages.CrashQuestion{}, Reply{Part: (*messages.Crash)(nil)}, nil)
	f(messages.ProfilesQuestion{}, ended, &StreamPressureProfilesRequest{Answer: &StreamPressureProfilesRequest_ListComplete{ListComplete: &ProfileListComplete{RequestId: "r"}}})
	f(messages.ProfileQuestion{ProfileID: "p", Type: "heap"}, ended, &StreamPressureProfilesRequest{Answer: &StreamPressureProfilesRequest_Chunk{
		Chunk: &ProfileChunk{RequestId: "r", ProfileId: "p", Type: "heap", Last: true, Error: "no database"}}})
	f(messages.SchemaQuestion{}, ended, &StreamSchemaRegistryRequest{Done: true, Group: &SchemaGroup{Error: "no database"}})
	f(messages.SchemaQuestion{}, Reply{End: EndYes}, &StreamSchemaRegistryRequest{Done: true})
	f(messages.LifecycleQuestion{}, Reply{End: EndYes, Part: &messages.Lifecycle{Reports: []messages.LifecycleReport{{Filename: "a", Continues: true}}}},
		&StreamLifecycleRequest{LifecycleData: &LifecycleData{Reports: []*LifecycleReport{{Filename: "a"}}}})
	// A part of another question is none, nor is one that is nil.
	f(messages.TopologyQuestion{}, Reply{Part: &messages.Crash{}}, &StreamClusterTopologyRequest{Topology: &Topology{}})
	for _, p := range []messages.Part{(*messages.Topology)(nil), (*messages.Lifecycle)(nil), (*messages.Crash)(nil), (*messages.PressureProfile)(nil),
		(*messages.ProfileChunk)(nil), (*messages.SchemaGroup)(nil)} {
		for _, q := range []messages.Question{messages.TopologyQuestion{}, messages.LifecycleQuestion{}, messages.CrashQuestion{}, messages.ProfilesQuestion{},
			messages.ProfileQuestion{}, messages.SchemaQuestion{}} {
			require.Nil(t, replied(t, q, Reply{ID: 1, Part: p}).Part)
		}
	}
}

func TestLongElementsAreNotSplit(t *testing.T) {
	crash := exampleCrash()
	require.Equal(t, []messages.Part{crash}, Chunks(crash, 1))
	nodes := &messages.Topology{Nodes: []messages.DatabaseNode{{GRPCAddress: strings.Repeat("x", 500)}, {GRPCAddress: strings.Repeat("x", 500)}}}
	require.Len(t, Chunks(nodes, 1), 2)
	report := &messages.Lifecycle{Reports: []messages.LifecycleReport{{Filename: "a", JSON: long[:10000]}}}
	require.Len(t, Chunks(report, 1), 10, "pieces of a report are not arbitrarily small")
	require.Equal(t, []messages.Part{&messages.Topology{At: testNow}}, Chunks(&messages.Topology{At: testNow}, 1000))
	unnamed := &messages.Lifecycle{Groups: []messages.LifecycleGroup{{Name: "g", Data: []messages.DataInfo{{Segments: make([]messages.SegmentInfo, 1000)}}}}}
	require.Len(t, Chunks(unnamed, 100), 2, "data of a node without a name cannot be put together again")
}

// Chunks of one long group have its name and the node's again and again, and count them.
func TestChunksOfALongGroup(t *testing.T) {
	const limit = 4000
	name := strings.Repeat("n", 700)
	node := messages.DatabaseNode{Metadata: messages.DatabaseMetadata{Name: strings.Repeat("d", 900)}}
	group := messages.LifecycleGroup{Name: name, Errors: []string{strings.Repeat("e", 900), strings.Repeat("f", 900)},
		Consistency: &messages.SchemaConsistency{Status: messages.ConsistencyConsistent}}
	for i := range 300 {
		group.Consistency.Objects = append(group.Consistency.Objects, messages.SchemaObjectState{Name: fmt.Sprint(i)})
		group.Consistency.Issues = append(group.Consistency.Issues, messages.SchemaIssue{Name: fmt.Sprint(i)})
	}
	for i := range 2 {
		d := messages.DataInfo{Node: &node, DataSizeBytes: int64(1 + i)}
		for j := range 500 {
			d.Segments = append(d.Segments, messages.SegmentInfo{ID: fmt.Sprint(j)})
		}
		group.Data = append(group.Data, d)
	}
	small := messages.LifecycleGroup{Name: "small", Catalog: strings.Repeat("c", 2*limit/3)}
	whole := &messages.Lifecycle{Groups: []messages.LifecycleGroup{small, group, small}}
	chunks, total := Chunks(whole, limit), 0
	for _, c := range chunks {
		size := proto.Size(ReplyFrame(messages.LifecycleQuestion{}, Reply{ID: 1 << 63, Part: c}))
		require.LessOrEqual(t, size, limit)
		total += size
	}
	require.Greater(t, total, 6*limit*len(chunks)/10, "chunks are filled")
	require.Equal(t, messages.JoinGroups(whole.Groups), messages.JoinLifecycle(chunks, MaxReportBytes).Groups)
	require.Equal(t, group, messages.JoinLifecycle(chunks, MaxReportBytes).Groups[1])
}
