package wire

import (
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

// replied returns what the proxy reads of the agent's reply.
func replied(t require.TestingT, q messages.Question, r Reply) Reply {
	b, err := proto.Marshal(ReplyFrame(q, r))
	require.NoError(t, err)
	got, err := ReadReply(q.Stream(), b)
	require.NoError(t, err)
	return got
}

func TestRepliesComeThrough(t *testing.T) {
	f := func(q messages.Question, r Reply) {
		t.Helper()
		require.Equal(t, r, replied(t, q, r))
	}
	topology := &messages.Topology{At: testNow, Nodes: []messages.DatabaseNode{{Metadata: messages.DatabaseMetadata{Name: "a"}}},
		Calls: []messages.Call{{ID: "a-b", Source: "a", Target: "b"}}}
	f(messages.TopologyQuestion{}, Reply{ID: 1, Part: topology})
	f(messages.TopologyQuestion{}, Reply{ID: 1, Part: topology, End: EndYes})
	f(messages.TopologyQuestion{}, Reply{ID: 1, End: EndYes, Error: "no database"})
	f(messages.TopologyQuestion{}, Reply{End: EndYes, Part: topology})

	lifecycle := &messages.Lifecycle{At: testNow, PodName: "p", Reports: []messages.LifecycleReport{{Filename: "a.json", JSON: "{}", Continues: true}}}
	f(messages.LifecycleQuestion{}, Reply{ID: 1, Part: lifecycle})

	crash := &messages.Crash{FetchedAt: testNow, ArtifactDir: "a", Panic: messages.PanicRecord{PanicValue: "boom", GoroutineStack: "stack"}}
	f(messages.CrashQuestion{}, Reply{ID: 1, Part: crash})
	f(messages.CrashQuestion{}, Reply{ID: 1, Part: messages.CrashRevision(7), End: EndYes})
	f(messages.CrashQuestion{}, Reply{Part: crash, End: EndUnknown})

	f(messages.ProfilesQuestion{}, Reply{ID: 1, Part: &messages.PressureProfile{ID: "x"}})
	f(messages.ProfilesQuestion{}, Reply{ID: 1, End: EndYes, Native: "1"})
	f(messages.ProfilesQuestion{}, Reply{End: EndYes, Native: "abc"})
	f(messages.ProfileQuestion{}, Reply{End: EndNo, Native: "abc", Part: &messages.ProfileChunk{Data: []byte("x")}})
	f(messages.ProfileQuestion{}, Reply{ID: 1, End: EndNo, Native: "1", Part: &messages.ProfileChunk{Data: []byte("x"), FileSize: 10}})
	f(messages.ProfileQuestion{}, Reply{End: EndYes, Native: "abc", Part: &messages.ProfileChunk{Data: []byte("x"), Last: true}})
	f(messages.ProfileQuestion{}, Reply{End: EndYes, Native: "abc", Error: "gone"})

	f(messages.SchemaQuestion{}, Reply{Part: &messages.SchemaGroup{Group: "g", Objects: []messages.SchemaObject{{Kind: "measure", Name: "m", Fingerprint: 1}}}})
	f(messages.SchemaQuestion{}, Reply{End: EndYes})
	f(messages.SchemaQuestion{}, Reply{ID: 1, End: EndYes})
}

func TestQuestionsComeThrough(t *testing.T) {
	f := func(q messages.Question, a Ask) {
		t.Helper()
		got, ask, err := FromQuestion(sent(t, QuestionFrame(q, a), NewQuestionFrame(q.Stream())))
		require.NoError(t, err)
		require.Equal(t, q, got)
		require.Equal(t, a, ask)
	}
	f(messages.TopologyQuestion{}, Ask{ID: 1, TimeLeft: time.Second})
	f(messages.LifecycleQuestion{}, Ask{})
	f(messages.CrashQuestion{Known: map[string]uint64{"": 7}}, Ask{ID: 2, KnownRevision: 7})
	f(messages.ProfilesQuestion{}, Ask{ID: 3, Native: "3"})
	f(messages.ProfileQuestion{ProfileID: "p", Type: "heap", Path: "/x", Offset: 5, Length: 6}, Ask{ID: 3, Native: "native"})
	f(messages.SchemaQuestion{}, Ask{ID: 4, TimeLeft: time.Minute})
}
