package exposition

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"fodc/messages"
)

func TestTextHoldsWhatTheModelHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := collections().Draw(t, "collection")
		o := Options{Timestamps: rapid.Bool().Draw(t, "timestamps")}
		want := modelOf(c, o)

		var b bytes.Buffer
		conflicts, err := WriteText(&b, c, o)
		require.NoError(t, err)
		page := parsePage(t, b.Bytes())
		got := map[modelKey]uint64{}
		for _, x := range page.points {
			got[modelKey{x.series, x.time}] = x.bits
		}
		require.Equal(t, want.points, got, "%s", b.String())
		require.Equal(t, want.conflicts, conflicts, "%s", b.String())
		for name, kind := range want.types {
			require.Equal(t, kind, page.types[name], "%s", name)
			require.Equal(t, want.helps[name], page.helps[name])
		}
	})
}

// jsonSeries is an element of the JSON page.
type jsonSeries struct {
	Name        string
	Description *string
	Type        string
	Labels      map[string]string
	AgentID     *string `json:"agent_id"`
	NodeID      string  `json:"node_id"`
	PodName     *string `json:"pod_name"`
	Data        []struct {
		Timestamp time.Time
		Value     json.RawMessage
	}
}

func TestJSONHoldsWhatTheModelHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := collections().Draw(t, "collection")
		want := modelOf(c, Options{Timestamps: true})
		for k := range want.points {
			if k.time == untimed { // the page's own families are not in it
				delete(want.points, k)
			}
		}

		pods := map[string]string{}
		for _, n := range c.Nodes {
			pods[n.Identity.NodeID] = n.Identity.PodName
		}
		var b bytes.Buffer
		conflicts, err := WriteJSON(&b, c)
		require.NoError(t, err)
		var page []jsonSeries
		d := json.NewDecoder(&b)
		d.DisallowUnknownFields()
		require.NoError(t, d.Decode(&page))
		require.NotNil(t, page)
		got := map[modelKey]uint64{}
		for _, s := range page {
			require.Equal(t, "agent "+s.NodeID, *s.AgentID)
			require.Equal(t, s.NodeID, s.Labels["node_id"])
			require.Equal(t, pods[s.NodeID], *s.PodName)
			require.NotNil(t, s.Description)
			require.Contains(t, []string{"gauge", "counter", "histogram", "summary", "untyped"}, s.Type)
			require.NotEmpty(t, s.Data)
			s.Labels["__name__"] = s.Name
			key := seriesKey(labels.FromMap(s.Labels))
			before := int64(math.MinInt64)
			for _, x := range s.Data {
				at := x.Timestamp.UnixMilli()
				require.Greater(t, at, before)
				before = at
				// A number, or a string that names what JSON has no number for.
				word := strings.Trim(string(x.Value), `"`)
				v, err := strconv.ParseFloat(word, 64)
				require.NoError(t, err)
				require.Equal(t, math.IsNaN(v) || math.IsInf(v, 0), word != string(x.Value))
				_, twice := got[modelKey{key, at}]
				require.False(t, twice)
				got[modelKey{key, at}] = valueBits(v)
			}
		}
		require.Equal(t, want.points, got)
		require.Equal(t, want.conflicts, conflicts)
	})
}

// Whatever texts a peer gets past the checks of package messages, the page stays
// whole, and the texts come back.
func FuzzTexts(f *testing.F) {
	f.Add("x", "Help.", "a", "1", "zone", "z", 1.0)
	f.Add("a.b\n\"\\", "a\nb\\", "le", "\"\\\n}", "a.b", "\xff", math.Inf(1))
	f.Add("fodc_agent_up", "\r\x00\xff", "node_id", "n", "\x00", "", math.NaN())
	f.Fuzz(func(t *testing.T, name, help, label, value, nodeLabel, nodeValue string, v float64) {
		text := messages.RenderLabels([]messages.Label{{Name: label, Value: value}})
		if messages.CheckMetricName(name) != nil || messages.CheckLabelText(text) != nil || messages.IsGap(v) {
			return
		}
		n := answer("n", block(1, family(name, gauge, help, one(string(text), v))))
		n.Identity.Labels = map[string]string{nodeLabel: nodeValue}
		var b bytes.Buffer
		_, err := WriteText(&b, collection(n), Options{})
		require.NoError(t, err)
		page := parsePage(t, b.Bytes())
		if IsReserved(name) {
			return
		}
		n.Identity.Labels[nodeLabel] = strings.ToValidUTF8(nodeValue, "\uFFFD")
		want := point{labelsOf(n, name, text.Labels(), false), untimed, valueBits(v)}
		if label != "le" && label != "quantile" { // which parsers rewrite
			require.Contains(t, page.points, want)
		}
		if !strings.HasPrefix(help, " ") && !strings.HasPrefix(help, "\t") { // which parsers skip
			require.Equal(t, strings.ToValidUTF8(help, "\uFFFD"), page.helps[name])
		}

		b.Reset()
		_, err = WriteJSON(&b, collection(n))
		require.NoError(t, err)
		require.True(t, json.Valid(b.Bytes()) && utf8.Valid(b.Bytes()), "%s", b.Bytes())
		b.Reset()
		require.NoError(t, WriteNodeText(&b, n.Blocks, Options{}))
		parsePage(t, b.Bytes())
	})
}
