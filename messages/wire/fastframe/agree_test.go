package fastframe

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

var testNow = time.Unix(1767225600, 0)

// said renders an answer as text, so that equal answers have equal texts.
func said(a wire.Answer, err error) string {
	if err != nil {
		return "broken\n"
	}
	b := &strings.Builder{}
	fmt.Fprintf(b, "request %d more %t error %q partial %q sanitized %d rejected %d", a.RequestID, a.More, a.Error, a.Partial, a.Sanitized, a.Rejected)
	if a.FirstRejected != nil {
		fmt.Fprintf(b, ": %s", a.FirstRejected)
	}
	for _, block := range a.Blocks {
		fmt.Fprintf(b, "\nblock %q %d\n", block.Target, block.Times)
		texts := 0
		for f := range block.Each() {
			texts += f.TextBytes()
			fmt.Fprintf(b, "  %s(%d) %q %q\n", f.Type, f.Type, f.Name, f.Help)
			left := f.LabelBytes
			b.WriteString(wrongDescriptor(f))
			for i := range f.Series {
				s := f.At(i)
				fmt.Fprintf(b, "    %s{%s}", s.Suffix, s.AllLabels())
				b.WriteString(wrongInfo(&s, messages.BoundName(f.Type, s.Suffix)))
				for _, v := range f.ValuesOf(i) {
					fmt.Fprintf(b, " %v:%x", v, math.Float64bits(v))
				}
				b.WriteByte('\n')
				left -= s.LabelBytes()
			}
			if f.Values != nil && left != 0 {
				fmt.Fprintf(b, "    counts %d bytes of labels too many\n", left)
			}
		}
		if block.Values != nil && texts != block.TextBytes {
			fmt.Fprintf(b, "    counts %d bytes of texts, not %d\n", block.TextBytes, texts)
		}
	}
	return b.String()
}

// wrongDescriptor says what is wrong with the descriptor of a family.
func wrongDescriptor(f *messages.Family) string {
	if f.Descriptor == nil {
		return ""
	}
	again := messages.NewDescriptor(f.Name, f.Type, f.Help, slices.Clone(f.Series))
	if again.Normalized != f.Descriptor.Normalized || again.Name != f.Descriptor.Name || again.Type != f.Descriptor.Type || again.Help != f.Descriptor.Help ||
		!slices.EqualFunc(f.Series, f.Descriptor.Series, func(a, b messages.Series) bool {
			return a.Suffix == b.Suffix && a.Labels == b.Labels && a.Info == b.Info && a.Claimed == b.Claimed
		}) {
		return fmt.Sprintf("    has the descriptor %+v, not %+v\n", f.Descriptor, again)
	}
	return ""
}

// wrongInfo says what is wrong with the label info of a series.
func wrongInfo(s *messages.Series, bound string) string {
	if s.Claimed != nil && *s.Claimed == "" || s.Claimed != nil && s.Info.IsZero() {
		return fmt.Sprintf(" claims %q", *s.Claimed)
	}
	if s.Info.IsZero() {
		return ""
	}
	if bound == "" {
		bound = s.Info.Get().BoundName // which nobody asks for
	}
	if want := messages.InternLabelInfo(s.Labels, bound); s.Info != want {
		return fmt.Sprintf(" has facts %+v, not %+v", s.Info, want)
	}
	return ""
}

// plain reads a frame by the generated code.
func plain(frame []byte) string {
	var m wire.StreamMetricsRequest
	if err := proto.Unmarshal(frame, &m); err != nil {
		return said(wire.Answer{}, err)
	}
	return said(wire.FromAnswer(&m, testNow), nil)
}

func fast(d *Decoder, frame []byte) string {
	f, err := d.Open(frame)
	if err != nil {
		return said(wire.Answer{}, err)
	}
	return said(d.Answer(f, testNow))
}

func encode(t require.TestingT, m proto.Message) []byte {
	b, err := proto.Marshal(m)
	require.NoError(t, err)
	return b
}

// node is an answer of a baseline agent with all kinds of families. From round to round the
// values differ, and some series come and go.
func node(round, samples int) *wire.StreamMetricsRequest {
	f := &wire.StreamMetricsRequest{Timestamp: timestamppb.New(testNow.Add(time.Duration(round) * time.Second))}
	add := func(name string, kind wire.MetricType, help string, labels map[string]string) {
		for i := range samples {
			m := &wire.Metric{Name: name, Type: kind, Description: help, Labels: labels, Value: float64(round*1000+i) / 7}
			if samples > 1 {
				m.Timestamp = timestamppb.New(testNow.Add(time.Duration(i) * 10 * time.Second))
			}
			f.Metrics = append(f.Metrics, m)
		}
	}
	for i := range 5 {
		segment := fmt.Sprint(i + round/3)
		for j := range 4 {
			add(fmt.Sprintf("disk_%d_total", i), wire.MetricType_METRIC_TYPE_COUNTER, "reads \"and\" writes\n",
				map[string]string{"group": "sw_metric", "segment": segment, "op": fmt.Sprint(j), "pod_name": "data-0"})
		}
		for _, le := range []string{"0.1", "1", "+Inf"} {
			add("latency_bucket", wire.MetricType_METRIC_TYPE_HISTOGRAM, "how long", map[string]string{"le": le, "segment": segment})
		}
		add("latency_sum", wire.MetricType_METRIC_TYPE_HISTOGRAM, "how long", map[string]string{"segment": segment})
		add("latency_count", wire.MetricType_METRIC_TYPE_HISTOGRAM, "how long", map[string]string{"segment": segment})
		add("size_count", wire.MetricType_METRIC_TYPE_SUMMARY, "", map[string]string{"quantile": "0.5", "segment": segment})
		add("size_count", wire.MetricType_METRIC_TYPE_SUMMARY, "", map[string]string{"segment": segment})
	}
	add("up", wire.MetricType_METRIC_TYPE_GAUGE, "is it", nil)
	add("odd", wire.MetricType_METRIC_TYPE_UNSPECIFIED, "", map[string]string{"a b": "\\\"\n", "": "empty"})
	add("strange", wire.MetricType_METRIC_TYPE_UNTYPED, "", map[string]string{"a b": "\\\"\n", "ü": ""})
	return f
}

func TestRealFramesAgree(t *testing.T) {
	f := func(samples int, columnar bool) {
		t.Helper()
		d := New()
		for round := range 9 {
			m := node(round, samples)
			if columnar {
				m = wire.AnswerFrame(wire.FromAnswer(m, testNow))
			}
			frame := encode(t, m)
			require.Equal(t, plain(frame), fast(d, frame), "round %d", round)
		}
	}
	f(1, false)
	f(7, false)
	f(1, true)
	f(7, true)
}

// raw builds a message.
type raw []byte

func (r raw) text(field protowire.Number, s string) raw {
	return protowire.AppendString(protowire.AppendTag(r, field, protowire.BytesType), s)
}

func (r raw) number(field protowire.Number, v uint64) raw {
	return protowire.AppendVarint(protowire.AppendTag(r, field, protowire.VarintType), v)
}

func (r raw) double(field protowire.Number, v float64) raw {
	return protowire.AppendFixed64(protowire.AppendTag(r, field, protowire.Fixed64Type), math.Float64bits(v))
}

func (r raw) message(field protowire.Number, m raw) raw { return r.text(field, string(m)) }

func (r raw) label(name, value string) raw {
	return r.message(2, raw{}.text(1, name).text(2, value))
}

// oddFrames are frames that no correct agent sends.
func oddFrames() map[string]raw {
	m := raw{}.text(1, "m").label("a", "1").label("b", "2").double(3, 1)
	family := raw{}.text(1, "f").number(2, 2).text(4, `a="1"`).text(4, `a="2"`)
	block := raw{}.message(1, protowire.AppendVarint(nil, 20)).message(2, family.double(6, 1).double(6, 2))
	long := func(n int) (all raw) {
		all = raw{}.text(1, "m")
		for i := range n {
			all = all.label(fmt.Sprintf("l%03d", i), "v")
		}
		return all
	}
	return map[string]raw{
		"nothing":                           {},
		"a label twice":                     raw{}.message(1, m.label("a", "3")).message(1, m.label("a", "1")).message(1, m),
		"labels in any order":               raw{}.message(1, m).message(1, raw{}.label("b", "2").label("a", "1").text(1, "m").double(3, 2)),
		"the same label instead of another": raw{}.message(1, m).message(1, raw{}.text(1, "m").label("a", "1").label("a", "1")),
		"a key without a value":             raw{}.message(1, raw{}.text(1, "m").message(2, raw{}.text(1, "a"))).message(1, raw{}.text(1, "m").label("a", "")),
		"a value before its key":            raw{}.message(1, m).message(1, raw{}.text(1, "m").message(2, raw{}.text(2, "1").text(1, "a")).label("b", "2")),
		"an entry with more":                raw{}.message(1, m).message(1, raw{}.text(1, "m").message(2, raw{}.text(1, "a").text(2, "1").number(3, 1)).label("b", "2")),
		"an empty value":                    raw{}.message(1, m.label("c", "")).message(1, m).message(1, raw{}.text(1, "m").label("c", "").label("b", "2").label("a", "1")),
		"an empty value and then another":   raw{}.message(1, m.label("a", "")).message(1, m.label("c", "").label("c", "1")).message(1, m.label("c", "1").label("c", "")),
		"an empty value of a bad key":       raw{}.message(1, m.label("\xff", "")),
		"an empty value, its key behind it": raw{}.message(1, m.message(2, raw{}.text(2, "").text(1, "c"))),
		"an empty value, another before":    raw{}.message(1, m.message(2, raw{}.text(2, "1").text(1, "c")).label("c", "")),
		"a value that ends like an empty":   raw{}.message(1, m.label("c", "\x12\x00").label("d", "")).message(1, m.label("c\x12\x00", "1").label("d", "")),
		"an empty value of a long key":      raw{}.message(1, m.label(strings.Repeat("k", 200), "")).message(1, m),
		"an empty value of a bad name":      raw{}.message(1, m.label("", "").label("__name__", "")).message(1, m),
		"empty values of very many labels":  raw{}.message(1, long(messages.MaxSeriesLabels).label("c", "")).message(1, long(messages.MaxSeriesLabels)),
		"an empty quantile":                 raw{}.message(1, raw{}.text(1, "s_sum").label("quantile", "").double(3, 1).number(6, 4)).message(1, raw{}.text(1, "s_sum").double(3, 1).number(6, 4)),
		"an empty label name":               raw{}.message(1, raw{}.text(1, "m").label("", "1")),
		"an empty entry":                    raw{}.message(1, raw{}.text(1, "m").message(2, nil)),
		"no name":                           raw{}.message(1, raw{}.double(3, 1)),
		"several names":                     raw{}.message(1, raw{}.text(1, "x").text(1, "m").text(4, "h").text(4, "i")),
		"a bad name before":                 raw{}.message(1, raw{}.text(1, "\xff").text(1, "m")),
		"a bad help before":                 raw{}.message(1, raw{}.text(4, "\xff").text(4, "m")),
		"a bad help":                        raw{}.message(1, m).message(1, m.text(4, "\xff")),
		"a bad value":                       raw{}.message(1, m).message(1, m.label("c", "\xff")),
		"a bad key":                         raw{}.message(1, m.label("\xff", "c")),
		"an unknown type":                   raw{}.message(1, m.number(6, 17)).message(1, m.number(6, 1<<40|2)).message(1, m.number(6, math.MaxUint64)),
		"types that differ":                 raw{}.message(1, m.number(6, 2)).message(1, m.number(6, 1)),
		"help of a later sample":            raw{}.message(1, m).message(1, m.text(4, "later")),
		"much help":                         raw{}.message(1, m.text(4, strings.Repeat("h", messages.MaxHelpBytes+1))),
		"a long name":                       raw{}.message(1, raw{}.text(1, strings.Repeat("n", messages.MaxNameBytes+1))),
		"long labels":                       raw{}.message(1, m.label("c", strings.Repeat("v", messages.MaxLabelTextBytes))),
		"as many labels as may be":          raw{}.message(1, long(messages.MaxSeriesLabels)).message(1, long(messages.MaxSeriesLabels)),
		"too many labels":                   raw{}.message(1, long(messages.MaxSeriesLabels+1)).message(1, long(messages.MaxSeriesLabels+1)),
		"a gap":                             raw{}.message(1, m.double(3, messages.Gap)).message(1, m.text(4, "x")),
		"NaN and zero":                      raw{}.message(1, m.double(3, math.NaN())).message(1, raw{}.text(1, "z").double(3, math.Copysign(0, -1))),
		"a time in parts":                   raw{}.message(1, m.message(5, raw{}.number(1, 5)).message(5, raw{}.number(2, 7e6))),
		"an empty time":                     raw{}.message(1, m.message(5, nil)),
		"no time":                           raw{}.message(1, m.message(5, raw{}.number(2, 1e9))).message(1, raw{}.text(1, "\xff")),
		"the same time twice":               raw{}.message(1, m.message(5, raw{}.number(1, 5))).message(1, m.double(3, 9).message(5, raw{}.number(1, 5))).message(1, m.message(5, raw{}.number(1, 4))),
		"an invalid time of a frame":        raw{}.message(1, m).message(2, raw{}.number(1, 1<<60)),
		"the first time of all":             raw{}.message(1, m).message(2, raw{}.number(1, -62135596800&math.MaxUint64)),
		"families in turn":                  raw{}.message(1, m).message(1, raw{}.text(1, "n")).message(1, m.label("c", "3")),
		"fields of other types":             raw{}.message(1, raw{}.number(1, 7).double(2, 1).number(3, 4).number(4, 1).number(5, 1).text(6, "x").text(1, "m")).number(1, 3).number(101, 2).text(100, "x"),
		"unknown fields":                    raw{}.message(1, m.number(90, 1).text(999, "later")).text(1000, "x").number(90, 1),
		"a group":                           append(raw{}.message(1, m), 0xa3, 0x06, 0x08, 0x01, 0xa4, 0x06),
		"a group without an end":            append(raw{}.message(1, m), 0xa3, 0x06, 0x08, 0x01),
		"an end without a group":            append(raw{}.message(1, m), 0xa4, 0x06),
		"a tag of 0":                        append(raw{}.message(1, m), 0x00),
		"a tag of 0, and more":              raw{}.message(1, raw{0x02, 0x01, 0x78}),
		"a number that is too large":        append(raw{}.message(1, m), append(protowire.AppendVarint(nil, uint64(protowire.MaxValidNumber+1)<<3|2), 0)...),
		"a long tag":                        append(raw{}.message(1, m), 0x8a, 0x80, 0x00, 0x02, 0x0a, 0x00),
		"cut in a sample":                   raw{}.message(1, m[:len(m)-3]),
		"cut in a label":                    raw{}.message(1, raw{}.text(1, "m").message(2, raw{0x0a, 0x05, 'a'})),
		"cut in the frame":                  raw{}.message(1, m)[:len(m)-2],
		"an answer with all":                raw{}.message(1, m).message(101, block).number(100, 7).number(102, 1),
		"an error":                          raw{}.number(102, 1).text(103, "busy"),
		"a long error":                      raw{}.text(103, strings.Repeat("ü", messages.MaxTextBytes)),
		"a bad error":                       raw{}.text(103, "\xff"),
		"a reason to be partial":            raw{}.message(1, m).text(107, "recovering"),
		"several reasons to be partial":     raw{}.text(107, "recovering").text(107, "journal").message(1, m),
		"no reason to be partial any more":  raw{}.text(107, "recovering").text(107, ""),
		"a reason of a later version":       raw{}.text(107, "Disk-2.gone\n\"ü, x="+strings.Repeat("y", 99)),
		"a bad reason to be partial":        raw{}.text(107, strings.Repeat("y", 99)+"\xff"),
		"a bad reason before another":       raw{}.text(107, "\xff").text(107, "journal"),
		"a reason of another type":          raw{}.number(107, 1).message(1, m),
		"an error, and partial":             raw{}.text(103, "busy").text(107, "journal"),
		"columns not packed":                raw{}.message(101, raw{}.number(1, 20).number(1, 2).message(2, raw{}.text(1, "f").text(4, "").double(6, 1).double(6, 2).number(5, 0))),
		"columns in parts":                  raw{}.message(101, raw{}.message(2, family.double(6, 1).text(6, "12345678")).number(1, 2)),
		"values that are cut":               raw{}.message(101, raw{}.number(1, 20).message(2, family.text(6, "1234567"))),
		"a block without times":             raw{}.message(101, raw{}.message(2, family).message(2, nil)),
		"times that go back":                raw{}.message(101, raw{}.number(1, 20).number(1, 3).message(2, family)),
		"a family without series":           raw{}.message(101, raw{}.number(1, 20).message(2, raw{}.text(1, "f"))),
		"a family without a name":           raw{}.message(101, raw{}.number(1, 20).message(2, raw{}.text(4, "").double(6, 1))),
		"bad label texts":                   raw{}.message(101, raw{}.number(1, 20).message(2, family.text(4, `b="1",a="2"`).text(4, "x").double(6, 1).double(6, 2).double(6, 3).double(6, 4))),
		"a label text not UTF-8":            raw{}.message(101, raw{}.number(1, 20).message(2, family.text(4, "\xff"))),
		"an unknown suffix":                 raw{}.message(101, raw{}.number(1, 20).message(2, raw{}.text(1, "f").number(2, 3).text(4, "").text(4, "").text(5, "\x01\x09").double(6, 1).double(6, 2))),
		"a suffix of a counter":             raw{}.message(101, raw{}.number(1, 20).message(2, family.text(5, "\x01\x00").double(6, 1).double(6, 2))),
		"suffixes that miss":                raw{}.message(101, raw{}.number(1, 20).message(2, family.text(5, "\x00").double(6, 1).double(6, 2))),
		"a bad column of suffixes":          raw{}.message(101, raw{}.number(1, 20).message(2, family.text(5, "\xff"))),
		"names to be sanitized":             raw{}.message(1, m.label("", "x")).message(1, m.label("", "x")).message(1, m.label("_", "x")).message(1, raw{}.text(1, "n").label("", "x")).message(1, m.label("__name__", "y").label("\x00", "z")),
		"texts to be sanitized":             raw{}.message(101, raw{}.number(1, 20).message(2, family.text(4, `__name__="1"`).text(4, `a-b="x"`).double(6, 1).double(6, 2).double(6, 3).double(6, 4))),
		"empty values in texts":             raw{}.message(101, raw{}.number(1, 20).message(2, family.text(4, `a="",b="2"`).text(4, `a="1",b=""`).double(6, 1).double(6, 2).double(6, 3).double(6, 4))),
		"empty values in bad texts":         raw{}.message(101, raw{}.number(1, 20).message(2, family.text(4, `b="",a="1"`).text(4, `b="",a`).text(4, `a="",a-b=""`).text(4, `b="",__name__="x"`).double(6, 1).double(6, 2).double(6, 3).double(6, 4).double(6, 5).double(6, 6))),
		"empty values in a text not UTF-8":  raw{}.message(101, raw{}.number(1, 20).message(2, family.text(4, "a=\"\",b=\"\xff\""))),
		"times of scrapes":                  raw{}.message(101, raw{}.number(1, 20).number(1, 2).text(3, "agent")).message(101, raw{}.text(3, "host").number(1, 20)),
		"times of scrapes beside samples":   raw{}.message(101, raw{}.number(1, 20).text(3, "agent")).message(101, append(block, raw{}.text(3, "agent")...)).message(1, m),
		"times of no target":                raw{}.message(101, raw{}.number(1, 20)).message(101, raw{}.number(1, 20).text(3, "")),
		"a target without times":            raw{}.message(101, raw{}.text(3, "agent")).message(101, raw{}.text(3, "agent").number(1, 20).number(1, 3)),
		"several targets":                   raw{}.message(101, raw{}.number(1, 20).text(3, "agent").text(3, "host").number(3, 1)),
		"no target any more":                raw{}.message(101, raw{}.number(1, 20).text(3, "agent").text(3, "")),
		"a bad target":                      raw{}.message(101, raw{}.number(1, 20).text(3, "\xff")),
		"a bad target before another":       raw{}.message(101, raw{}.number(1, 20).text(3, "\xff").text(3, "agent")),
		"a long target":                     raw{}.message(101, raw{}.number(1, 20).text(3, strings.Repeat("t", messages.MaxTargetBytes+1))).message(101, append(block, raw{}.text(3, strings.Repeat("t", messages.MaxTargetBytes+1))...)),
		"a target of what is invalid":       raw{}.message(101, raw{}.number(1, 20).text(3, "agent").message(2, nil)),
		"wrong blocks after samples":        raw{}.message(1, raw{}.text(1, "m").label("", "x")).message(101, raw{}.message(2, nil)),
	}
}

func TestOddFramesAgree(t *testing.T) {
	d := New()
	for name, frame := range oddFrames() {
		want := plain(frame)
		for i := range 3 {
			require.Equal(t, want, fast(d, frame), "%s, time %d", name, i)
		}
	}
}

// A decoder reads a frame as the generated code does, whatever it has in its caches.
func FuzzAgree(f *testing.F) {
	for _, frame := range oddFrames() {
		f.Add([]byte(frame), []byte(oddFrames()["a label twice"]))
	}
	for _, samples := range []int{1, 3} {
		m := node(1, samples)
		f.Add(encode(f, m), encode(f, node(4, samples)))
		f.Add(encode(f, wire.AnswerFrame(wire.FromAnswer(m, testNow))), encode(f, m))
	}
	f.Fuzz(func(t *testing.T, before, frame []byte) {
		for _, b := range [][]byte{before, frame} {
			if f, err := New().Open(b); err == nil && f.Dictionary != 0 {
				t.Skip("frames of a dictionary are for FuzzDictionary")
			}
		}
		d := New()
		fast(d, before)
		want := plain(frame)
		require.Equal(t, want, fast(d, frame))
		require.Equal(t, want, fast(d, frame))
		require.Equal(t, plain(before), fast(d, before))
		_, _ = d.Open(frame) // and nobody asks for it
		require.Equal(t, plain(before), fast(d, before))
		require.Equal(t, want, fast(d, frame))
	})
}
