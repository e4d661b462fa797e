package incidents

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

var (
	zone = time.FixedZone("", 90*60)
	at   = time.Date(2026, 3, 1, 3, 12, 7, 0, time.UTC)
)

func TestListForPeople(t *testing.T) {
	var list []Summary
	require.NoError(t, Answer{Status: 200, Body: []byte(`[
{"id":"01B","state":"open","first_occurrence":"2026-03-01T03:12:07.5Z","severity":"critical","summary":"n1: out of memory","rules":["A","B","C","D","E"],
 "nodes":[{"node_id":"n1","kind":"rule","state":"open"},{"node_id":"n2","kind":"context","state":"collected"}],"bytes":1500000,"missing_count":2,"repeated":3},
{"id":"01A","state":"collected","first_occurrence":"2026-02-28T03:12:07Z","severity":"info","summary":"\u001b[31mred\n` + strings.Repeat("x", 200) + `","rules":[],"nodes":[],"pinned":true,"seen_at":"2026-03-01T03:12:07Z"}]`)}.Decode(&list))
	var b strings.Builder
	require.NoError(t, WriteList(&b, list, zone))
	golden(t, "list.txt", b.String())
	b.Reset()
	require.NoError(t, WriteList(&b, nil, zone))
	require.Equal(t, "no incidents\n", b.String())
}

func TestIncidentForPeople(t *testing.T) {
	i := &messages.Incident{ID: "01A", State: messages.IncidentCollected, Severity: "critical", Summary: "n1: out of memory\x1b[31m", Reason: "slow", RequestedBy: "me",
		FirstOccurrence: at, OpenedAt: at.Add(time.Second), From: at.Add(-10 * time.Minute), To: at.Add(2 * time.Minute), SeenAt: at.Add(time.Hour), Pinned: true,
		Repeated: 2, RepeatedAt: at.Add(2 * time.Hour), EventsDropped: 7,
		Rules: []messages.IncidentAlert{{Rule: "MemoryNearLimit", NodeID: "n1", Severity: "critical", Summary: "s", FirstOccurrence: at, LastFiring: at.Add(61 * time.Second), Firings: 3},
			{Rule: "Other", NodeID: "n1", FirstOccurrence: at, Firing: true, Firings: 1}},
		Timeline: []messages.IncidentEvent{{At: at.Add(-time.Minute), NodeID: "n2", Kind: "config", Text: "changed"}, {At: at, NodeID: "n1", Kind: "rule", Text: "fires"},
			{At: at.Add(90 * time.Second), Kind: "incident", Text: "frozen"}},
		Nodes: []messages.IncidentNode{{NodeID: "n1", Role: "data", Kind: messages.IncidentRule, State: messages.IncidentCollected, Bytes: 1 << 20,
			Files:   []messages.EvidenceFile{{What: "profile/heap"}, {What: "window"}, {What: "profile/heap"}},
			Missing: []messages.EvidenceMissing{{What: "profile/cpu", Reason: "404"}}}, {NodeID: "n2", Role: "liaison", Kind: messages.IncidentContext}}}
	changes := &Changes{}
	require.NoError(t, json.Unmarshal([]byte(`{"changes":[
{"family":"rss","node_id":"n1","name":"rss_bytes","labels":"","kind":"level","at":"2026-03-01T03:11:00Z","from":512000000,"to":2.1e9,"series":1},
{"family":"errs","node_id":"n2","name":"errs_total","labels":"a=\"b\"","kind":"spike","at":"2026-03-01T03:12:17Z","per_second":true,"from":0,"to":12.34567,"series":3,"nodes":["n2","n1"]}],
"limits":[{"node_id":"n1","what":"memory of the control group","name":"fodc_cgroup_memory_current_bytes","labels":"","at":"2026-03-01T03:11:30Z","usual":400000000,"highest":980000000,"limit":1000000000}],
"dropped":4,"vanished":[{"node_id":"n1","at":"2026-03-01T03:12:30Z","back_at":"2026-03-01T03:12:40Z","series":120,"families":["a","b","c","d"]}],
"churn":[{"by":["device"],"at":"2026-03-01T03:12:31Z","ended":8,"began":16,"nodes":["n1","n2"],"families":["a","b","c","d"]}],"unread":[{"node_id":"n3","reason":"gone\n"}]}`), changes))
	var b strings.Builder
	require.NoError(t, Write(&b, i, changes, zone))
	golden(t, "show.txt", b.String())

	b.Reset()
	require.NoError(t, Write(&b, &messages.Incident{ID: "01A", State: messages.IncidentOpen, FirstOccurrence: at, From: at}, &Changes{}, time.UTC))
	golden(t, "show_open.txt", b.String())
	require.NotContains(t, b.String(), "null")
	b.Reset()
	require.NoError(t, Write(&b, &messages.Incident{ID: "01A"}, nil, time.UTC))
	require.NotContains(t, b.String(), "changed")
}

func TestManyChanges(t *testing.T) {
	c := &Changes{}
	require.NoError(t, json.Unmarshal([]byte(`{"changes":[{}`+strings.Repeat(",{}", 19)+`]}`), c))
	require.Equal(t, 1+maxShownChanges+1, strings.Count(c.text(at), "\n"))
	require.Contains(t, c.text(at), "and 8 more\n")
}

func TestChoose(t *testing.T) {
	list := []Summary{{ID: "01B2"}, {ID: "01B1"}, {ID: "01A"}}
	f := func(text, want, wantErr string) {
		t.Helper()
		got, err := Choose(list, text)
		require.Equal(t, want, got)
		if wantErr == "" {
			require.NoError(t, err)
		} else {
			require.EqualError(t, err, wantErr)
		}
	}
	f("last", "01B2", "")
	f("LAST", "01B2", "")
	f("01a", "01A", "")
	f("01B1", "01B1", "")
	f("01B", "", `the ids of 2 incidents begin with "01B": 01B2, 01B1`)
	f("x", "", `there is no incident whose id begins with "x"`)
	list = nil
	f("last", "", "there is no incident")
	list = make([]Summary, 7)
	f("", "", `the ids of 7 incidents begin with "": , , , ,  and 2 more`)
}

func TestAnswers(t *testing.T) {
	f := func(a Answer, want string) {
		t.Helper()
		var v []int
		require.EqualError(t, a.Decode(&v), want)
	}
	f(Answer{Status: 404, Body: []byte(`{"status":"error","errorType":"not_found","error":"no incident"}`)}, "no incident")
	f(Answer{Status: 404, ContentType: "text/html", Body: []byte(" <html>\n")}, `this is no answer of a proxy or an agent of fodc: status 404, text/html: "<html>"`)
	f(Answer{Status: 200, Body: []byte(strings.Repeat("x", 300))}, `this is no answer of a proxy or an agent of fodc: status 200, no content type: "`+strings.Repeat("x", 200)+`..."`)
	f(Answer{Status: 200, ContentType: "application/json", Body: []byte("[1,")}, "the answer is cut off or damaged, 3 bytes: unexpected end of JSON input")
	require.NoError(t, Answer{Status: 204}.Err())
}

func TestNumbers(t *testing.T) {
	require.Equal(t, "1023 B", bytesText(1023))
	require.Equal(t, "1.431 MiB", bytesText(1500000))
	require.Equal(t, "-1m30s", relative(at, at.Add(90*time.Second)))
	require.Equal(t, "+0s", relative(at, at))
}
