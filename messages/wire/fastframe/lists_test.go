package fastframe

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
)

// describing is an agent that describes its families to a decoder.
type describing struct {
	t      *testing.T
	agent  wire.Describer
	proxy  *Decoder
	values float64
}

func newDescribing(t *testing.T) *describing {
	a := &describing{t: t, proxy: New()}
	a.proxy.Renew(7)
	return a
}

// block has gauges of the names, of so many series each.
func (a *describing) block(series int, names ...string) messages.Block {
	b := messages.Block{Times: []int64{1000}}
	for _, name := range names {
		f := messages.Family{Name: name, Type: messages.TypeGauge}
		for i := range series {
			a.values++
			text := messages.LabelText(fmt.Sprintf(`l="%06d"`, i))
			f.Series = append(f.Series, messages.Series{Labels: text, Values: []float64{a.values}})
		}
		b.Families = append(b.Families, f)
	}
	return b
}

// answer requires that the proxy reads what the agent says, and that it shares the
// families with other answers or not.
func (a *describing) answer(shared bool, blocks ...messages.Block) wire.Answer {
	a.t.Helper()
	a.agent.Begin(7)
	want := wire.Answer{Blocks: blocks}
	got := answerOf(a.t, a.proxy, encode(a.t, a.agent.Frame(want)))
	require.Equal(a.t, said(want, nil), said(got, nil))
	for _, b := range got.Blocks {
		require.Equal(a.t, shared, b.Values != nil)
	}
	require.LessOrEqual(a.t, len(a.proxy.slots.lists.all), len(blocks), "what an answer does not have is forgotten")
	return got
}

// Answers share the families of a block as long as they are the same in the same order.
func TestBlocksThatRepeatTheLastOnes(t *testing.T) {
	a := newDescribing(t)
	a.answer(false, a.block(2, "a", "b", "c"))
	first, second := a.answer(true, a.block(2, "a", "b", "c")), a.answer(true, a.block(2, "a", "b", "c"))
	require.Same(t, &first.Blocks[0].Families[0], &second.Blocks[0].Families[0])
	require.NotSame(t, &first.Blocks[0].Values[0], &second.Blocks[0].Values[0])
	was := said(first, nil)
	a.answer(false, a.block(2, "a", "b"))
	a.answer(true, a.block(2, "a", "b"))
	a.answer(false, a.block(2, "a", "c"))
	a.answer(false, a.block(2, "a", "c", "b"))
	a.answer(false, a.block(2, "c", "a", "b"))
	a.answer(false, a.block(2, "a"), a.block(2, "b", "c"))
	a.answer(true, a.block(2, "a"), a.block(2, "b", "c"))
	a.answer(true, a.block(2, "a"))
	a.answer(false, a.block(3, "a"))
	a.answer(true, a.block(3, "a"))
	a.answer(false, a.block(2, "d", "e"))
	a.answer(true, a.block(2, "d", "e"))
	require.Equal(t, was, said(first, nil), "answers keep what they had")
}

// A frame takes room for the values that it can have, however many times it names.
func TestTimesTakeNoRoomForValues(t *testing.T) {
	a := newDescribing(t)
	a.answer(false, a.block(1000, "a"))
	times := raw{}.text(1, string(bytes.Repeat([]byte{2}, 200_000)))
	frame := raw{}.number(104, 7).number(105, 2).message(101, times.message(2, raw{}.number(7, 1)))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got := answerOf(t, a.proxy, frame)
	runtime.ReadMemStats(&after)
	require.Equal(t, 1000, got.Rejected)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20))
}
