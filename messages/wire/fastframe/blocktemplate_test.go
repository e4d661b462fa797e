package fastframe

import (
	"bytes"
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
)

// defining is an agent that defines its families for a decoder.
type defining struct {
	t      *testing.T
	agent  wire.DictionaryEncoder
	proxy  *Decoder
	values float64
}

func newDescribing(t *testing.T) *defining {
	a := &defining{t: t, proxy: New()}
	a.proxy.Renew(7)
	return a
}

// block has gauges of the names, of so many series each.
func (a *defining) block(series int, names ...string) messages.Block {
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

// answer requires that the decoder reads what the agent sends, and whether the families are
// shared with other answers.
func (a *defining) answer(shared bool, blocks ...messages.Block) wire.Answer {
	a.t.Helper()
	a.agent.Begin(7)
	want := wire.Answer{Blocks: blocks}
	got := answerOf(a.t, a.proxy, encode(a.t, a.agent.Frame(want)))
	require.Equal(a.t, said(want, nil), said(got, nil))
	for _, b := range got.Blocks {
		require.Equal(a.t, shared, b.Values != nil)
	}
	require.LessOrEqual(a.t, len(a.proxy.definitions.templates.all), len(blocks), "what an answer does not have is forgotten")
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

// A frame allocates no more values than it can hold, however many timestamps it has.
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

// slotted is a family of a slot with values.
func slotted(slot uint64, values ...float64) raw {
	return raw{}.text(6, string(packed(values...))).number(7, slot)
}

func packed(values ...float64) (b raw) {
	for _, v := range values {
		b = protowire.AppendFixed64(b, math.Float64bits(v))
	}
	return b
}

// A block that almost matches the template is read as the generated code reads it.
func TestFamiliesThatAlmostRepeatAList(t *testing.T) {
	block := func(families ...raw) raw {
		b := raw{}.message(1, protowire.AppendVarint(nil, 20))
		for _, f := range families {
			b = b.message(2, f)
		}
		return b
	}
	frame := func(blocks ...raw) raw {
		f := raw{}.number(104, 1)
		for _, b := range blocks {
			f = f.message(101, b)
		}
		return f
	}
	define := func(name string, slot uint64) raw {
		return raw{}.text(1, name).number(2, 1).text(4, `l="1"`).text(4, `l="2"`).message(6, packed(1, 2)).number(7, slot)
	}
	a, b, c := slotted(1, 3, 4), slotted(2, 5, 6), slotted(3, 7, 8)
	backTimes := raw{}.message(1, raw{20, 5})
	backwards := slices.Clip(backTimes.message(2, a).message(2, b))
	for name, odd := range map[string]raw{
		"as it was":                  frame(block(a, b), block(c)),
		"a family twice":             frame(block(a, b), block(c, c)),
		"a family in two blocks":     frame(block(a, b), block(a)),
		"a list in two blocks":       frame(block(c), block(c)),
		"a list after itself":        frame(block(a), block(a, b)),
		"one more":                   frame(block(a, b, c)),
		"one less":                   frame(block(a), block(c)),
		"another order":              frame(block(b, a), block(c)),
		"too few values":             frame(block(a, slotted(2, 5)), block(c)),
		"too many values":            frame(block(a, slotted(2, 5, 6, 7, 8)), block(c)),
		"no values":                  frame(block(a, slotted(2)), block(c)),
		"half a value":               frame(block(a, raw{}.text(6, "1234").number(7, 2)), block(c)),
		"no slot":                    frame(block(a, raw{}.message(6, packed(5, 6))), block(c)),
		"half a slot":                frame(block(a, append(raw{}.message(6, packed(5, 6)), 7<<3, 0x80)), block(c)),
		"a slot from afar":           frame(block(a, raw{}.message(6, packed(5, 6)).number(7, 1<<32+2)), block(c)),
		"the slot first":             frame(block(a, raw{}.number(7, 2).message(6, packed(5, 6))), block(c)),
		"a type for the slot":        frame(block(a, raw{}.message(6, packed(5, 6)).number(2, 2)), block(c)),
		"a help for the values":      frame(block(a, raw{}.message(3, packed(5, 6)).number(7, 2)), block(c)),
		"two definitions":            frame(block(a, slotted(1, 5, 6).number(7, 2)), block(c)),
		"two definitions, the other": frame(block(a, slotted(2, 5, 6).number(7, 1)), block(c)),
		"values behind":              frame(block(a, slotted(2, 5).message(6, packed(6))), block(c)),
		"more values behind":         frame(block(a, slotted(2, 5, 6).message(6, packed(6))), block(c)),
		"a name behind":              frame(block(a, slotted(2, 5, 6).text(1, "x")), block(c)),
		"a help behind":              frame(block(a, slotted(2, 5, 6).text(3, "x")), block(c)),
		"broken behind":              frame(block(a, append(slotted(2, 5, 6), 0xff)), block(c)),
		"an empty family":            frame(block(a, nil, c), block(c)),
		"times that go back":         frame(backwards, block(c)),
		"nothing at such times":      frame(backwards.message(2, slotted(3)), block(c)),
		"only that":                  frame(slices.Clip(backTimes).message(2, slotted(1)).message(2, slotted(2)), block(c)),
		"no times":                   frame(raw{}.message(2, a).message(2, b), block(c)),
		"times behind":               frame(raw{}.message(2, a).message(2, b).message(1, protowire.AppendVarint(nil, 20)), block(c)),
		"two times":                  frame(raw{}.message(1, raw{20, 2}).message(2, a).message(2, b), block(c)),
		"two times, all values":      frame(raw{}.message(1, raw{20, 2}).message(2, slotted(1, 1, 2, 3, 4)).message(2, slotted(2, 1, 2, 3, 4)), block(c)),
	} {
		t.Run(name, func(t *testing.T) {
			d, oracle := New(), &plainDictionary{number: 1}
			d.Renew(1)
			same := frame(block(a, b), block(c))
			for _, f := range []raw{frame(block(define("a", 1), define("b", 2)), block(define("c", 3))), same, same, odd, same, odd, odd, same} {
				f = oracle.next(f)
				want := oracle.read(f)
				require.Equal(t, want, readOrRenew(d, oracle, f))
			}
		})
	}
}
