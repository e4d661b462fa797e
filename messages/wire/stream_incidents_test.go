package wire

import (
	"bytes"
	"strings"
	"testing"

	"fodc/messages"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

func TestIncidentQuestions(t *testing.T) {
	for _, q := range incidentQuestions() {
		a := Ask{ID: 9, TimeLeft: 3}
		if _, ok := q.(messages.IncidentsQuestion); ok {
			a.KnownRevision = 5
		}
		got, ask, err := FromQuestion(sent(t, QuestionFrame(q, a), NewQuestionFrame(messages.StreamIncidents)))
		require.NoError(t, err)
		require.Equal(t, q, got)
		require.Equal(t, a, ask)
	}
	f := func(why string, want messages.Question, q messages.Question) {
		t.Helper()
		got, a, err := FromQuestion(QuestionFrame(q, Ask{ID: 7}))
		require.ErrorContains(t, err, why)
		require.Equal(t, want, got, "it has to be answered with the error")
		require.Equal(t, Ask{ID: 7}, a)
	}
	const id = exampleIncidentID
	f("no ULID", messages.FreezeQuestion{}, messages.FreezeQuestion{ID: "x", Kind: messages.IncidentContext})
	f("rule", messages.FreezeQuestion{}, messages.FreezeQuestion{ID: id, Kind: messages.IncidentRule})
	f("before", messages.FreezeQuestion{}, messages.FreezeQuestion{ID: id, Kind: messages.IncidentContext, From: testNow, To: testNow.Add(-1)})
	f("no ULID", messages.EvidenceQuestion{}, messages.EvidenceQuestion{Path: "a"})
	f("../../etc/passwd", messages.EvidenceQuestion{}, messages.EvidenceQuestion{IncidentID: id, Path: "../../etc/passwd"})
	f("from offset -1", messages.EvidenceQuestion{}, messages.EvidenceQuestion{IncidentID: id, Path: "a", Offset: -1})
	f("no ULID", messages.IncidentActionQuestion{}, messages.IncidentActionQuestion{Action: messages.IncidentPin})
	f("explode", messages.IncidentActionQuestion{}, messages.IncidentActionQuestion{IncidentID: id, Action: "explode"})
}

func TestIncidentReplies(t *testing.T) {
	f := func(q messages.Question, r Reply) {
		t.Helper()
		require.Equal(t, r, replied(t, q, r))
	}
	f(messages.IncidentsQuestion{}, Reply{ID: 1, Part: exampleIncident()})
	f(messages.IncidentsQuestion{}, Reply{ID: 1, Part: messages.IncidentRevision(0), End: EndYes})
	f(messages.FreezeQuestion{}, Reply{ID: 1, Part: exampleIncident(), End: EndYes})
	f(messages.EvidenceQuestion{}, Reply{ID: 1, Part: &messages.ProfileChunk{Data: []byte("x"), FileSize: 5, Last: true}})
	f(messages.IncidentActionQuestion{}, Reply{ID: 1, Error: "no such incident", End: EndYes})
	require.Nil(t, ReplyFrame(messages.IncidentsQuestion{}, Reply{Part: messages.IncidentRevision(1)}), "the baseline has no form of it")

	b, err := proto.Marshal(AnnouncementFrame(7))
	require.NoError(t, err)
	r, err := ReadReply(messages.StreamIncidents, b)
	require.NoError(t, err)
	require.Equal(t, Reply{Announced: 7}, r)
}

// A document that is too long loses the end of its timeline, and is sent.
func TestLongIncident(t *testing.T) {
	i := exampleIncident()
	for len(i.Incident.Timeline) < messages.MaxIncidentEvents {
		i.Incident.Timeline = append(i.Incident.Timeline, messages.IncidentEvent{At: testNow.UTC(), Text: strings.Repeat("\x01", 1000)})
	}
	got := replied(t, messages.FreezeQuestion{}, Reply{ID: 1, Part: i}).Part.(*messages.IncidentRecord).Incident
	require.Equal(t, messages.MaxIncidentEvents/2, len(got.Timeline))
	require.Equal(t, messages.MaxIncidentEvents/2, got.EventsDropped)
}

func TestHostileIncidents(t *testing.T) {
	f := func(document string, broken bool) {
		t.Helper()
		b, err := proto.Marshal(&StreamIncidentsRequest{RequestId: 1, Answer: &StreamIncidentsRequest_Incident{Incident: []byte(document)}})
		require.NoError(t, err)
		r, err := ReadReply(messages.StreamIncidents, b)
		require.Equal(t, broken, err != nil, "%v", err)
		require.Nil(t, r.Part)
		require.EqualValues(t, 1, r.ID)
	}
	f("", false)
	f("{}", false)
	f(`{"id":"x"}`, false)
	f(`{"timeline":[`+strings.Repeat("0,", 1<<20)+"0]}", true)
	f(`{"timeline":[`+strings.Repeat("{},", 1<<20-20)+"{}]}", true)
	f(strings.Repeat(" ", maxDocumentBytes+1), true)
	require.NoError(t, checkDocument([]byte(`{"summary":"`+strings.Repeat(`,\",`, 1<<18)+`"}`)), "commas of a text")

	chunk := &StreamIncidentsRequest{Answer: &StreamIncidentsRequest_Chunk{Chunk: &EvidenceChunk{Data: bytes.Repeat([]byte{1}, MaxProfileDataBytes+1)}}}
	b, err := proto.Marshal(chunk)
	require.NoError(t, err)
	_, err = ReadReply(messages.StreamIncidents, b)
	require.ErrorContains(t, err, "1048577 bytes")
}
