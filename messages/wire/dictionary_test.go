package wire

import (
	"fmt"
	"strings"
	"testing"

	"fodc/messages"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

// gauges is a block of one family for each name, whose one series has a label text of so
// many bytes.
func gauges(labelBytes int, names ...string) Answer {
	b := messages.Block{Times: []int64{1}}
	for _, name := range names {
		text := messages.LabelText(`a="` + strings.Repeat("x", labelBytes-len(`a=""`)) + `"`)
		b.Families = append(b.Families, messages.Family{Name: name, Type: messages.TypeGauge, Help: "help",
			Series: []messages.Series{{Labels: text, Values: []float64{1}}}})
	}
	return Answer{RequestID: 1, Blocks: []messages.Block{b}}
}

func slotsOf(f *StreamMetricsRequest) string {
	var all []string
	for _, b := range f.GetBlocks() {
		for _, family := range b.GetFamilies() {
			all = append(all, fmt.Sprintf("%d%s", family.GetSlot(), family.GetName()))
		}
	}
	return strings.Join(all, " ")
}

func TestDescriber(t *testing.T) {
	var d DictionaryEncoder
	f := func(dictionary uint64, begins bool, a Answer, want string) *StreamMetricsRequest {
		t.Helper()
		d.Begin(dictionary)
		frame := d.Frame(a)
		require.Equal(t, want, slotsOf(frame))
		require.Equal(t, dictionary, frame.GetDictionary())
		require.Equal(t, begins, frame.GetDictionaryBegins())
		return frame
	}
	f(0, false, gauges(20, "a"), "0a")
	f(7, true, gauges(20, "a", "b"), "1a 2b")
	f(7, false, gauges(20, "a", "b"), "1 2")
	f(7, false, gauges(20, "b"), "2")
	f(7, false, gauges(20, "c", "b", "a"), "3c 2 1")
	f(0, false, gauges(20, "a"), "0a")
	f(7, false, gauges(20, "a", "a"), "1 4a") // of another target
	f(7, false, gauges(20, "a", "a"), "1 4")
	f(7, false, gauges(21, "a"), "5a")
	f(7, false, gauges(21, "a"), "5")
	f(8, true, gauges(21, "a"), "1a")
	f(8, false, gauges(21, "a"), "1")
	change := func(change func(*messages.Family)) Answer {
		a := gauges(21, "a")
		change(&a.Blocks[0].Families[0])
		return a
	}
	f(8, false, change(func(f *messages.Family) { f.Help = "other" }), "2a")
	f(8, false, change(func(f *messages.Family) { f.Type = messages.TypeCounter }), "3a")
	f(8, false, change(func(f *messages.Family) { f.Series[0].Suffix = messages.SuffixSum }), "4a")
	f(8, false, change(func(f *messages.Family) { f.Series = append(f.Series, f.Series[0]) }), "5a")
	f(8, false, change(func(f *messages.Family) { f.Series[0].Labels = "" }), "6a")
	values := f(8, false, change(func(f *messages.Family) { f.Series[0].Labels, f.Series[0].Values = "", []float64{3} }), "6")
	require.True(t, proto.Equal(&Family{Slot: 6, Values: []float64{3}}, values.GetBlocks()[0].GetFamilies()[0]))
}

// What does not fit is described in full, and what fits stays. A dictionary begins anew
// when most of what is in it was not needed for long.
func TestFullDictionary(t *testing.T) {
	var d DictionaryEncoder
	const quarter = MaxDictionaryBytes/4 - definedFamilyBytes - definedSeriesBytes - len("help") - 1
	f := func(a Answer, want string) {
		t.Helper()
		d.Begin(1)
		require.Equal(t, want, slotsOf(d.Frame(a)))
		require.LessOrEqual(t, d.bytes, MaxDictionaryBytes)
	}
	f(gauges(quarter, "a", "b", "c", "d"), "1a 2b 3c 4d")
	f(gauges(20, "e"), "0e")
	f(gauges(quarter, "a", "b", "c", "d", "e"), "1 2 3 4 0e")
	for range 2 * recentAnswers {
		f(gauges(quarter, "a", "b", "e"), "1 2 0e")
	}
	for range recentAnswers {
		f(gauges(quarter, "b", "e"), "2 0e")
	}
	f(gauges(quarter, "b", "e"), "1b 2e")
	f(gauges(quarter, "b", "e"), "1 2")
}
