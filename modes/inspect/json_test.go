package inspect

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"fodc/recorder/journal"

	"github.com/stretchr/testify/require"
)

func jsonOf(t *testing.T, r Report) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, r.WriteJSON(&b))
	return b.String()
}

func TestJSON(t *testing.T) {
	v := &journal.View{Segments: []journal.SegmentInfo{
		segment(1, "00:00:00", "00:00:10", started("00:00:00"), stopped("00:00:11")),
		segment(2, "00:10:00.5", "00:10:00.5", started("00:10:00"), pinned, damaged, mark(9, "00:10:01")),
	}, Unreadable: everything().Unreadable}
	require.Equal(t, `{
  "directory": "d",
  "verified": false,
  "nodes": [
    {
      "node_id": "data-0",
      "role": "datanode-hot",
      "pod_name": "pod-0",
      "labels": {
        "disk": "nvme",
        "zone": "a"
      },
      "agent_version": "v1.2.3",
      "segments": 2
    }
  ],
  "from": "2026-05-04T00:00:00.000Z",
  "to": "2026-05-04T00:10:00.500Z",
  "scrapes": 3,
  "samples": 3000,
  "bytes": 2770,
  "bytes_per_sample": 0.9233333333333333,
  "segments": [
    {
      "number": 1,
      "file": "00000001.segment",
      "state": "closed",
      "pinned": false,
      "node_id": "data-0",
      "created": "2026-05-04T00:00:00.000Z",
      "closed": "2026-05-04T00:00:10.000Z",
      "from": "2026-05-04T00:00:00.000Z",
      "to": "2026-05-04T00:00:10.000Z",
      "first_scrape": 1000,
      "last_scrape": 1001,
      "series": 1000,
      "scrapes": 2,
      "samples": 2000,
      "bytes": 1780,
      "bytes_per_sample": 0.89,
      "targets": [
        {
          "name": "http://127.0.0.1:2121/metrics",
          "from": "2026-05-04T00:00:00.000Z",
          "to": "2026-05-04T00:00:10.000Z",
          "series": 1000,
          "scrapes": 2,
          "samples": 2000
        }
      ],
      "marks": [
        {
          "at": "2026-05-04T00:00:00.000Z",
          "what": "agent_started"
        },
        {
          "at": "2026-05-04T00:00:11.000Z",
          "what": "agent_stopped"
        }
      ]
    },
    {
      "number": 2,
      "file": "00000002.segment",
      "state": "damaged",
      "pinned": true,
      "node_id": "data-0",
      "created": "2026-05-04T00:10:00.500Z",
      "closed": null,
      "from": "2026-05-04T00:10:00.500Z",
      "to": "2026-05-04T00:10:00.500Z",
      "first_scrape": 2000,
      "last_scrape": 2000,
      "series": 1000,
      "scrapes": 1,
      "samples": 1000,
      "bytes": 890,
      "bytes_per_sample": 0.89,
      "targets": [
        {
          "name": "http://127.0.0.1:2121/metrics",
          "from": "2026-05-04T00:10:00.500Z",
          "to": "2026-05-04T00:10:00.500Z",
          "series": 1000,
          "scrapes": 1,
          "samples": 1000
        }
      ],
      "marks": [
        {
          "at": "2026-05-04T00:10:00.000Z",
          "what": "agent_started"
        },
        {
          "at": "2026-05-04T00:10:01.000Z",
          "what": "unknown"
        }
      ]
    }
  ],
  "gaps": [
    {
      "from": "2026-05-04T00:00:11.000Z",
      "to": "2026-05-04T00:10:00.000Z",
      "seconds": 589,
      "why": "stopped"
    }
  ],
  "damage": [
    {
      "file": "00000002.segment",
      "offset": 4711,
      "reason": "a frame of 80 bytes with a wrong checksum"
    },
    {
      "file": "00000005.segment",
      "offset": null,
      "reason": "damaged at offset 0: it does not begin\nas a segment does"
    }
  ]
}
`, jsonOf(t, New("d", v)))
}

// A script finds lists where there is nothing in them, too.
func TestJSONOfAnEmptyJournal(t *testing.T) {
	text := jsonOf(t, New("d", &journal.View{}))
	var m map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &m))
	require.Equal(t, map[string]any{"directory": "d", "verified": false, "nodes": []any{}, "from": nil, "to": nil, "scrapes": 0.0, "samples": 0.0,
		"bytes": 0.0, "bytes_per_sample": 0.0, "segments": []any{}, "gaps": []any{}, "damage": []any{}}, m)
	nodes := jsonOf(t, New("d", &journal.View{Segments: []journal.SegmentInfo{{Number: 1}}}))
	require.NotContains(t, nodes, `"labels": null`)
}

var fieldName = regexp.MustCompile(`"([a-z_]+)": `)

// The document names every field.
func TestDocumentNamesTheFields(t *testing.T) {
	doc, err := os.ReadFile("../../docs/journal.md")
	require.NoError(t, err)
	fields := fieldName.FindAllStringSubmatch(jsonOf(t, New("d", everything())), -1)
	require.NotEmpty(t, fields)
	for _, f := range fields {
		if f[1] != "disk" && f[1] != "zone" { // labels of the node
			require.Contains(t, string(doc), "`"+f[1]+"`")
		}
	}
	for _, why := range []Why{Stopped, Killed, NotWritten} {
		require.Contains(t, string(doc), "`"+string(why)+"`")
	}
	for _, state := range []State{Closed, Open, Unclosed, Damaged, Unreadable} {
		require.Contains(t, string(doc), "\n| "+string(state)+" | ")
	}
}

// An agent may have any text as the name of its node.
func TestHostileJSON(t *testing.T) {
	s := segment(1, "00:00:00", "00:01:00", func(s *journal.SegmentInfo) {
		s.Node = journal.Node{NodeID: "a\u009b31m\x7f\u202eb\n", Labels: map[string]string{"\u2066": "\x1b"}}
	})
	text := jsonOf(t, New("d", &journal.View{Segments: []journal.SegmentInfo{s}}))
	require.Contains(t, text, `"node_id": "a\u009b31m\u007f\u202eb\n"`)
	require.Contains(t, text, `"\u2066": "\u001b"`)
	var report struct {
		Nodes []struct {
			NodeID string `json:"node_id"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(text), &report))
	require.Equal(t, "a\u009b31m\x7f\u202eb\n", report.Nodes[0].NodeID)
}
