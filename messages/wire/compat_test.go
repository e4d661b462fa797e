package wire

import (
	"math"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// The frames here are made and read field by field, by the numbers of the wire
// contract alone: a renumbered .proto cannot agree with itself in these tests.

// raw builds a message.
type raw []byte

func (r raw) text(field protowire.Number, s string) raw {
	return protowire.AppendString(protowire.AppendTag(r, field, protowire.BytesType), s)
}

func (r raw) number(field protowire.Number, v int64) raw {
	return protowire.AppendVarint(protowire.AppendTag(r, field, protowire.VarintType), uint64(v))
}

func (r raw) double(field protowire.Number, v float64) raw {
	return protowire.AppendFixed64(protowire.AppendTag(r, field, protowire.Fixed64Type), math.Float64bits(v))
}

func (r raw) message(field protowire.Number, m raw) raw { return r.text(field, string(m)) }

// entry appends an entry of a map of texts.
func (r raw) entry(field protowire.Number, name, value string) raw {
	return r.message(field, raw{}.text(1, name).text(2, value))
}

func rawTime(seconds, nanos int64) raw { return raw{}.number(1, seconds).number(2, nanos) }

// later is what a version to come may send: unknown fields of all kinds.
func (r raw) later() raw {
	return r.number(90, 1).text(999, "later").double(15000, 1).message(120, raw{}.text(1, "x"))
}

// fields reads a message: for each number the values as they come, numbers as
// uint64, all else as bytes.
func fields(t *testing.T, b []byte) map[protowire.Number][]any {
	t.Helper()
	all := map[protowire.Number][]any{}
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		require.Positive(t, n)
		b = b[n:]
		var v any
		switch kind {
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			v, n = protowire.ConsumeFixed64(b)
		default:
			var text []byte
			text, n = protowire.ConsumeBytes(b)
			v = string(text)
		}
		require.Positive(t, n)
		b = b[n:]
		all[field] = append(all[field], v)
	}
	return all
}

func encoded(t *testing.T, m proto.Message) map[protowire.Number][]any {
	t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	require.NoError(t, err)
	return fields(t, b)
}

func TestBaselineRegistrations(t *testing.T) {
	f := func(frame raw, want messages.Registration) {
		t.Helper()
		var m RegisterAgentRequest
		require.NoError(t, proto.Unmarshal(frame, &m))
		require.Equal(t, want, FromRegistration(&m))
		require.NoError(t, FromRegistration(&m).Validate())
	}
	address := raw{}.text(1, "10.0.0.7").number(2, 17912)
	older := raw{}.text(1, "ROLE_DATA").entry(2, "type", "hot").message(3, address)
	f(older, messages.Registration{Role: "ROLE_DATA", Labels: map[string]string{"type": "hot"}, Primary: messages.Address{IP: "10.0.0.7", Port: 17912}})
	f(older.later(), messages.Registration{Role: "ROLE_DATA", Labels: map[string]string{"type": "hot"}, Primary: messages.Address{IP: "10.0.0.7", Port: 17912}})
	newer := raw{}.text(1, "ROLE_UNSPECIFIED").text(4, "banyandb-data-0").text(5, "data").text(5, "lifecycle")
	f(newer, messages.Registration{Role: messages.RoleUnspecified, PodName: "banyandb-data-0", ContainerNames: []string{"data", "lifecycle"}})
	f(newer.later().message(3, nil), messages.Registration{Role: messages.RoleUnspecified, PodName: "banyandb-data-0", ContainerNames: []string{"data", "lifecycle"}})
}

func TestRegistrationFrameHasTheBaselineNumbers(t *testing.T) {
	got := encoded(t, RegistrationFrame(messages.Registration{
		NodeID: "n1", Role: "liaison", PodName: "p1", Labels: map[string]string{"a": "b"}, ContainerNames: []string{"c"},
		Primary: messages.Address{IP: "10.0.0.7", Port: 17912},
	}))
	require.Equal(t, map[protowire.Number][]any{
		1:   {"liaison"},
		2:   {string(raw{}.text(1, "a").text(2, "b"))},
		3:   {string(raw{}.text(1, "10.0.0.7").number(2, 17912))},
		4:   {"p1"},
		5:   {"c"},
		100: {"n1"},
	}, got)
}

func TestBaselineWelcome(t *testing.T) {
	frame := raw{}.number(1, 1).text(2, "registered").number(3, 15).text(4, "id-1")
	var m RegisterAgentResponse
	require.NoError(t, proto.Unmarshal(frame.later(), &m))
	want := Welcome{Success: true, Message: "registered", HeartbeatInterval: 15 * time.Second, Key: "id-1"}
	require.Equal(t, want, FromWelcome(&m))
	require.Equal(t, fields(t, frame), encoded(t, WelcomeFrame(want)))
}

func TestBaselineRequest(t *testing.T) {
	frame := raw{}.message(1, rawTime(1767225600, 5)).message(2, rawTime(1767225700, 6))
	var m StreamMetricsResponse
	require.NoError(t, proto.Unmarshal(frame.later(), &m))
	want := Request{Selection: messages.Selection{Window: messages.Window{
		Start: time.Unix(1767225600, 5).UTC(), End: time.Unix(1767225700, 6).UTC()}}}
	got, err := FromRequest(&m)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Equal(t, fields(t, frame), encoded(t, RequestFrame(want)))
	require.Empty(t, encoded(t, RequestFrame(Request{})), "neither bound: the latest")
}

func TestBaselineAnswer(t *testing.T) {
	bucket := raw{}.text(1, "h_bucket").entry(2, "le", "1").double(3, 2.5).text(4, "help").message(5, rawTime(1, 500_000_000)).number(6, 3)
	last := raw{}.text(1, "s").entry(2, "quantile", "0.5").double(3, 1).number(6, 4)
	frame := raw{}.message(1, bucket.later()).message(1, raw{}.text(1, "c").double(3, 7).number(6, 2)).
		message(1, raw{}.text(1, "g").number(6, 1)).message(1, raw{}.text(1, "u").number(6, 5)).
		message(1, raw{}.text(1, "x")).message(1, last).message(2, rawTime(2, 0)).later()
	var m StreamMetricsRequest
	require.NoError(t, proto.Unmarshal(frame, &m))
	a := FromAnswer(&m, testNow)
	require.NoError(t, a.FirstRejected)
	require.Equal(t, `block [1500]
  histogram(3) "h" "help"
    _bucket{le="1"} 2.5
block [2000]
  counter(2) "c" ""
    {} 7
  gauge(1) "g" ""
    {} 0
  untyped(5) "u" ""
    {} 0
  untyped(0) "x" ""
    {} 0
  summary(4) "s" ""
    {quantile="0.5"} 1
`, dump(a.Blocks))
}

func TestBaselineFrameHasTheBaselineNumbers(t *testing.T) {
	f, left := baselineFrame([]messages.Block{{Times: []int64{1500}, Families: []messages.Family{{
		Name: "h", Type: messages.TypeHistogram, Help: "help",
		Series: []messages.Series{{Suffix: messages.SuffixBucket, Labels: `le="1"`, Values: []float64{2.5}}},
	}}}}, time.Unix(2, 0), roomy)
	require.Zero(t, left)
	got := encoded(t, f)
	require.Equal(t, []any{string(raw{}.number(1, 2))}, got[2])
	require.Len(t, got, 2)
	require.Len(t, got[1], 1)
	require.Equal(t, map[protowire.Number][]any{
		1: {"h_bucket"},
		2: {string(raw{}.text(1, "le").text(2, "1"))},
		3: {math.Float64bits(2.5)},
		4: {"help"},
		5: {string(rawTime(1, 500_000_000))},
		6: {uint64(3)},
	}, fields(t, []byte(got[1][0].(string))))
}

// The numbers from 100 up are those of this program's own versions.
func TestAnswerFrameHasItsNumbers(t *testing.T) {
	got := encoded(t, AnswerFrame(Answer{RequestID: 7, More: true, Error: "busy", Partial: messages.PartialJournal}))
	require.Equal(t, map[protowire.Number][]any{100: {uint64(7)}, 102: {uint64(1)}, 103: {"busy"}, 107: {"journal"}}, got)
	require.Empty(t, encoded(t, AnswerFrame(Answer{})), "an answer without anything special has none of them")
}

func TestBlockHasItsNumbers(t *testing.T) {
	block := func(b messages.Block) map[protowire.Number][]any {
		got := encoded(t, AnswerFrame(Answer{Blocks: []messages.Block{b}}))
		return fields(t, []byte(got[101][0].(string)))
	}
	times := string(protowire.AppendVarint(protowire.AppendVarint(nil, 20), 4))
	require.Equal(t, map[protowire.Number][]any{1: {times}, 3: {"agent"}}, block(messages.Block{Target: "agent", Times: []int64{10, 12}}))
	require.Equal(t, map[protowire.Number][]any{1: {times}, 2: {string(raw{}.text(1, "a"))}},
		block(messages.Block{Times: []int64{10, 12}, Families: []messages.Family{{Name: "a"}}}))
}

func TestRequestFrameHasItsNumbers(t *testing.T) {
	frame := raw{}.number(100, 7).number(102, 1).text(103, "up").number(104, 8).number(105, 1).number(106, 1)
	var m StreamMetricsResponse
	require.NoError(t, proto.Unmarshal(frame.later(), &m))
	want := Request{ID: 7, Columnar: true, Dictionary: 8, Selection: messages.Selection{Names: []string{"up"}, ScrapeTimes: true, SeriesOnly: true}}
	got, err := FromRequest(&m)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Equal(t, fields(t, frame), encoded(t, RequestFrame(want)))
}
