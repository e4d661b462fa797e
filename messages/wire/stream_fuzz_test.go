package wire

import (
	"reflect"
	"testing"
	"time"
	"unicode/utf8"

	"fodc/messages"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// requireBaselineFields fails if a message has a field of this program's own, at any depth.
func requireBaselineFields(t require.TestingT, m proto.Message) {
	var walk func(m protoreflect.Message)
	walk = func(m protoreflect.Message) {
		m.Range(func(field protoreflect.FieldDescriptor, v protoreflect.Value) bool {
			require.Less(t, int(field.Number()), 100, field.FullName())
			switch {
			case field.IsMap() || field.Message() == nil:
			case field.IsList():
				for i := range v.List().Len() {
					walk(v.List().Get(i).Message())
				}
			default:
				walk(v.Message())
			}
			return true
		})
	}
	walk(m.ProtoReflect())
}

// requireBounded fails if a text in the value is too long or not valid, or a time is none.
func requireBounded(t *testing.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		require.True(t, utf8.ValidString(v.String()))
		require.LessOrEqual(t, v.Len(), MaxReportBytes)
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			requireBounded(t, v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			requireBounded(t, v.Index(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			requireBounded(t, key)
			requireBounded(t, v.MapIndex(key))
		}
	case reflect.Struct:
		if at, ok := v.Interface().(time.Time); ok {
			require.True(t, at.IsZero() || at.Year() >= 1 && at.Year() <= 9999)
			return
		}
		for i := range v.NumField() {
			requireBounded(t, v.Field(i))
		}
	}
}

// fuzzReply checks that whatever an agent sends is a reply that another agent could have sent, or an
// error.
func fuzzReply(f *testing.F, s messages.Stream, q messages.Question, parts ...messages.Part) {
	for _, p := range parts {
		for _, r := range []Reply{{ID: 1, Part: p}, {ID: 2, Part: p, End: EndYes}, {Part: p}, {Part: p, End: EndYes}, {ID: 3, Error: "none"}, {Error: "none"}, {ID: 3, End: EndYes}} {
			if frame := ReplyFrame(q, r); frame != nil {
				addFrames(f, frame)
			}
		}
	}
	f.Add([]byte{0x0a, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ReadReply(s, b)
		if err != nil {
			require.Nil(t, r.Part)
			return
		}
		requireBounded(t, reflect.ValueOf(r))
		require.False(t, r.Part != nil && reflect.ValueOf(r.Part).Kind() == reflect.Pointer && reflect.ValueOf(r.Part).IsNil())
		if r.Part != nil {
			require.Positive(t, r.Part.MemoryBytes())
		}
		require.False(t, r.Error != "" && r.End == EndNo)
		switch r.Part.(type) {
		case *messages.ProfileChunk:
			q = messages.ProfileQuestion{}
			if s == messages.StreamIncidents {
				q = messages.EvidenceQuestion{}
			}
		case *messages.PressureProfile:
			q = messages.ProfilesQuestion{}
		}
		if r.Announced != 0 {
			require.Equal(t, Reply{Announced: r.Announced}, r)
			return
		}
		frame := ReplyFrame(q, r)
		if frame == nil {
			require.Zero(t, r.ID)
			return
		}
		if r.ID == 0 && s != messages.StreamIncidents {
			requireBaselineFields(t, frame)
			return
		}
		again := replied(t, q, r)
		again.Native, r.Native = "", ""
		require.Equal(t, r, again)
	})
}

func FuzzReadTopology(f *testing.F) {
	fuzzReply(f, messages.StreamTopology, messages.TopologyQuestion{}, nil, &messages.Topology{At: testNow,
		Nodes: []messages.DatabaseNode{{Metadata: messages.DatabaseMetadata{Name: "a"}, Roles: []messages.DatabaseRole{1}, Labels: map[string]string{"a": "b"}, CreatedAt: testNow}},
		Calls: []messages.Call{{ID: "a-b", Source: "a", Target: "b"}}})
}

func FuzzReadLifecycle(f *testing.F) {
	fuzzReply(f, messages.StreamLifecycle, messages.LifecycleQuestion{}, nil, exampleLifecycle())
}

func FuzzReadCrash(f *testing.F) {
	fuzzReply(f, messages.StreamCrashes, messages.CrashQuestion{}, nil, messages.CrashRevision(7), exampleCrash())
}

func FuzzReadProfiles(f *testing.F) {
	fuzzReply(f, messages.StreamProfiles, messages.ProfilesQuestion{}, nil, exampleProfile())
}

func FuzzReadProfile(f *testing.F) {
	fuzzReply(f, messages.StreamProfiles, messages.ProfileQuestion{ProfileID: "p", Type: "heap"}, nil,
		&messages.ProfileChunk{Data: []byte("x"), FileSize: 1, Last: true})
}

func FuzzReadSchema(f *testing.F) {
	fuzzReply(f, messages.StreamSchema, messages.SchemaQuestion{}, nil, &messages.SchemaGroup{Error: "no registry"},
		&messages.SchemaGroup{Group: "g", Objects: []messages.SchemaObject{{Kind: "measure", Name: "m", Fingerprint: 1}}})
}

func FuzzReadIncidents(f *testing.F) {
	addFrames(f, AnnouncementFrame(7))
	fuzzReply(f, messages.StreamIncidents, messages.IncidentsQuestion{}, nil, messages.IncidentRevision(7), exampleIncident(),
		&messages.ProfileChunk{Data: []byte("x"), FileSize: 1, Last: true})
}

// Whatever a proxy asks, the agent knows what to answer to.
func FuzzFromQuestion(f *testing.F) {
	asked := map[messages.Stream][]messages.Question{
		messages.StreamTopology: {messages.TopologyQuestion{}}, messages.StreamLifecycle: {messages.LifecycleQuestion{}},
		messages.StreamCrashes: {messages.CrashQuestion{}}, messages.StreamSchema: {messages.SchemaQuestion{}},
		messages.StreamProfiles:  {messages.ProfilesQuestion{}, messages.ProfileQuestion{ProfileID: "p", Type: "heap", Path: "/x", Offset: 1, Length: 2}},
		messages.StreamIncidents: incidentQuestions(),
	}
	for s, questions := range asked {
		for _, q := range questions {
			b, err := proto.Marshal(QuestionFrame(q, Ask{ID: 1, TimeLeft: time.Second, KnownRevision: 5, Native: "n"}))
			require.NoError(f, err)
			f.Add(string(s), b)
		}
	}
	f.Fuzz(func(t *testing.T, s string, b []byte) {
		frame := NewQuestionFrame(messages.Stream(s))
		if frame == nil || proto.Unmarshal(b, frame) != nil {
			return
		}
		q, a, err := FromQuestion(frame)
		require.Equal(t, frame.(questionFrame).GetRequestId(), a.ID)
		require.LessOrEqual(t, len(a.Native), messages.MaxTextBytes)
		if err != nil {
			return
		}
		require.Equal(t, messages.Stream(s), q.Stream())
		require.GreaterOrEqual(t, a.TimeLeft.Nanoseconds(), int64(0))
		if a.ID == 0 || a.Native == "" {
			return
		}
		again, ask, err := FromQuestion(sent(t, QuestionFrame(q, a), NewQuestionFrame(q.Stream())))
		require.NoError(t, err)
		require.Equal(t, q, again)
		require.Equal(t, a, ask)
	})
}

func exampleLifecycle() *messages.Lifecycle {
	node := messages.DatabaseNode{Metadata: messages.DatabaseMetadata{Name: "a"}}
	day := &messages.IntervalRule{Unit: messages.UnitDay, Num: 7}
	return &messages.Lifecycle{At: testNow, PodName: "p", Reports: []messages.LifecycleReport{{Filename: "a.json", JSON: "{}", Continues: true}},
		Groups: []messages.LifecycleGroup{{Name: "g", Catalog: "CATALOG_MEASURE", Errors: []string{"e"},
			Resources: &messages.ResourceOpts{ShardNum: 2, SegmentInterval: day, TTL: day, Stages: []messages.LifecycleStage{{Name: "hot", TTL: day, Close: true}},
				DefaultStages: []string{"hot"}},
			Data: []messages.DataInfo{{Node: &node, DataSizeBytes: 5, Segments: []messages.SegmentInfo{{ID: "s", SeriesIndex: &messages.IndexInfo{DataCount: 1},
				Shards: []messages.ShardInfo{{ID: 1, InvertedIndex: &messages.IndexInfo{DataCount: 1}, SIDX: &messages.IndexInfo{PartCount: 2}}}}}}},
			Consistency: &messages.SchemaConsistency{Status: messages.ConsistencyInconsistent,
				Objects: []messages.SchemaObjectState{{Kind: "measure", Name: "m", RegistryFingerprint: 1, Nodes: []messages.NodeFingerprint{{Node: "a", CacheFingerprint: 2}}}},
				Issues:  []messages.SchemaIssue{{Kind: "measure", Name: "m", Node: "a", Type: messages.IssueCacheStale}}}}}}
}

const exampleIncidentID = "01JDZX3M9V5T6Q2W8R4Y7B1N0C"

func incidentQuestions() []messages.Question {
	at := testNow.UTC()
	return []messages.Question{messages.IncidentsQuestion{Known: map[string]uint64{"": 5}},
		messages.FreezeQuestion{ID: exampleIncidentID, Kind: messages.IncidentContext, FirstOccurrence: at, From: at.Add(-time.Minute), Profiles: true, Reason: "r", By: "b"},
		messages.FreezeQuestion{ID: exampleIncidentID, Kind: messages.IncidentRequest, FirstOccurrence: at, From: at, To: at},
		messages.EvidenceQuestion{IncidentID: exampleIncidentID, Path: "nodes/n/config.json", Offset: 1, Length: 2},
		messages.IncidentActionQuestion{IncidentID: exampleIncidentID, Action: messages.IncidentPin}}
}

func exampleIncident() *messages.IncidentRecord {
	at := testNow.UTC()
	return &messages.IncidentRecord{Incident: messages.Incident{Version: 1, ID: exampleIncidentID, Kind: messages.IncidentRule, State: messages.IncidentOpen, FirstOccurrence: at,
		OpenedAt: at, From: at, Severity: "critical", Summary: "s",
		Rules: []messages.IncidentAlert{{Rule: "R", NodeID: "n", Labels: map[string]string{"a": "b"}, FirstOccurrence: at, LastFiring: at, Firings: 1, Firing: true}},
		Nodes: []messages.IncidentNode{{NodeID: "n", Kind: messages.IncidentRule, State: messages.IncidentOpen, From: at, Dir: "nodes/n", Bytes: 3,
			Files: []messages.EvidenceFile{{Path: "nodes/n/config.json", What: messages.EvidenceConfig, Bytes: 3}}, Missing: []messages.EvidenceMissing{{What: "w", Reason: "r"}}}},
		Timeline: []messages.IncidentEvent{{At: at, Kind: "rule", Text: "t"}}}}
}

func exampleCrash() *messages.Crash {
	return &messages.Crash{FetchedAt: testNow, SourceEndpoint: "e", ArtifactDir: "d", Files: []string{"panic.json"}, Panic: messages.PanicRecord{
		OccurredAt: testNow, Component: "c", PanicValue: "boom", Recovered: true, GoroutineStack: "goroutine 1", ProcessMetadata: map[string]string{"pid": "1"},
		Breadcrumbs: []messages.Breadcrumb{{Time: testNow, Stage: "s", Component: "c", Fields: map[string]string{"a": "b"}}}}}
}

func exampleProfile() *messages.PressureProfile {
	return &messages.PressureProfile{ID: "20260102T030405.000000006Z", CapturedAt: testNow, SourceEndpoint: "e", RSSBytes: 1, LimitBytes: 2, TriggerPercent: 75,
		ThresholdBytes: 3, Files: []messages.ProfileFile{{Type: "heap", Filename: "heap.pprof", Path: "/x/heap.pprof", Format: "pprof", SizeBytes: 9}}}
}
