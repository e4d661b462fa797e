package fastframe

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"
)

const (
	lost     = "lost\n"
	repeated = "repeated\n"
)

// plainDictionary reads frames by the generated code, after it has replaced slots by the
// families that were defined there.
type plainDictionary struct {
	number uint64
	chunk  uint64
	answer uint64
	known  []*wire.Family
	used   []uint64 // by slot, the answer of its last use, counted from 1
	bytes  int
}

func (p *plainDictionary) read(frame []byte) string {
	var m wire.StreamMetricsRequest
	if err := proto.Unmarshal(frame, &m); err != nil {
		return said(wire.Answer{}, err)
	}
	if m.GetDictionary() == 0 {
		return said(wire.FromAnswer(&m, testNow), nil)
	}
	switch chunk := m.GetDictionaryChunk(); {
	case m.GetDictionary() != p.number:
		return lost
	case chunk > 0 && chunk <= p.chunk:
		return repeated
	case m.GetDictionaryBegins():
		*p = plainDictionary{number: p.number, answer: p.answer, chunk: chunk}
	case chunk != p.chunk+1:
		return lost
	}
	p.chunk = m.GetDictionaryChunk()
	for _, b := range m.GetBlocks() {
		for i, f := range b.GetFamilies() {
			if f.GetSlot() == 0 {
				continue
			}
			if f = p.whole(f); f == nil {
				return lost
			}
			b.Families[i] = f
		}
	}
	if !m.GetMoreFollows() {
		p.answer++
	}
	return said(wire.FromAnswer(&m, testNow), nil)
}

// next sets the frame's chunk number, unless it has one.
func (p *plainDictionary) next(frame []byte) []byte {
	return append(raw{}.number(105, p.chunk+1), frame...)
}

// whole returns the family as it would be without a dictionary, nil if it was not defined.
func (p *plainDictionary) whole(f *wire.Family) *wire.Family {
	at := int(f.GetSlot()) - 1
	if f.GetName() == "" && len(f.GetLabelTexts()) == 0 && at < len(p.known) {
		if p.used[at] == p.answer+1 {
			return nil
		}
		p.used[at] = p.answer + 1
		whole := proto.Clone(p.known[at]).(*wire.Family)
		whole.Values = f.GetValues()
		return whole
	}
	texts := len(f.GetName()) + len(f.GetHelp())
	for _, text := range f.GetLabelTexts() {
		texts += len(text)
	}
	p.bytes += wire.DefinitionBytes(len(f.GetLabelTexts()), texts)
	if f.GetName() == "" || at != len(p.known) || p.bytes > wire.MaxDictionaryBytes {
		return nil
	}
	p.known, p.used = append(p.known, f), append(p.used, p.answer+1)
	return f
}

func fastWithLoss(d *Decoder, frame []byte) string {
	f, err := d.Open(frame)
	if err != nil {
		return said(wire.Answer{}, err)
	}
	a, err := d.Answer(f, testNow)
	switch {
	case errors.Is(err, ErrLost):
		return lost
	case errors.Is(err, ErrRepeated):
		return repeated
	}
	return said(a, err)
}

// readOrRenew reads a frame, and renews the dictionary if the frame is lost or broken.
func readOrRenew(d *Decoder, oracle *plainDictionary, frame []byte) string {
	got := fastWithLoss(d, frame)
	if got == lost || got == said(wire.Answer{}, ErrBroken) {
		d.Renew(1)
		*oracle = plainDictionary{number: 1}
	}
	return got
}

// drawNode draws a node's families: of few names, some of them at several targets.
func drawNode(t *rapid.T) []messages.Block {
	family := rapid.Custom(func(t *rapid.T) messages.Family {
		f := messages.Family{
			Name: rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "name"),
			Help: rapid.SampledFrom([]string{"", "help", "other"}).Draw(t, "help"),
			Type: rapid.SampledFrom([]messages.MetricType{messages.TypeGauge, messages.TypeHistogram}).Draw(t, "type"),
		}
		for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, 5), 1, 4, rapid.ID[int]).Draw(t, "series") {
			s := messages.Series{Labels: messages.LabelText(fmt.Sprintf(`n="%d"`, i)), Values: []float64{rapid.Float64().Draw(t, "value")}}
			if f.Type == messages.TypeHistogram {
				s.Suffix = rapid.SampledFrom([]messages.Suffix{messages.SuffixNone, messages.SuffixSum, messages.SuffixCount}).Draw(t, "suffix")
			}
			f.Series = append(f.Series, s)
		}
		return f
	})
	block := rapid.Custom(func(t *rapid.T) messages.Block {
		b := messages.Block{Times: []int64{rapid.Int64Range(1, 9).Draw(t, "time")}, Target: rapid.SampledFrom([]string{"", "agent", "host"}).Draw(t, "target")}
		if b.Target == "" || rapid.IntRange(0, 3).Draw(t, "times only") > 0 {
			b.Families = rapid.SliceOfN(family, 1, 5).Draw(t, "families")
		}
		return b
	})
	return rapid.SliceOfN(block, 0, 3).Draw(t, "blocks")
}

// change is the node some time later: with other values and some other families.
func change(t *rapid.T, blocks []messages.Block) []messages.Block {
	if rapid.IntRange(0, 3).Draw(t, "change") > 0 {
		fresh := drawNode(t)
		if len(blocks) > 0 && len(fresh) > 0 {
			i, j := rapid.IntRange(0, len(blocks)-1).Draw(t, "of"), rapid.IntRange(0, len(fresh)-1).Draw(t, "by")
			blocks = slices.Clone(blocks)
			blocks[i] = fresh[j]
			return blocks
		}
		return fresh
	}
	return blocks
}

// A frame is read as it was sent, or is known to be lost, whatever is lost on the way. A new
// dictionary is needed only after losses and restarts.
func TestDictionary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := uint64(1)
		agent, d, oracle := &wire.DictionaryEncoder{}, New(), &plainDictionary{number: 1}
		d.Renew(1)
		whole := true
		blocks := drawNode(t)
		for request := uint64(1); request <= 12; request++ {
			blocks = change(t, blocks)
			if rapid.IntRange(0, 9).Draw(t, "restart") == 0 { // of the agent's stream
				agent, whole = &wire.DictionaryEncoder{}, true
				number++
				d.Renew(number)
				*oracle = plainDictionary{number: number}
			}
			dictionary := number
			if rapid.IntRange(0, 5).Draw(t, "window") == 0 {
				dictionary = 0 // as in the answer to a window
			}
			agent.Begin(dictionary)
			for i := 0; i == 0 || i < len(blocks); i++ {
				a := wire.Answer{RequestID: request, More: i+1 < len(blocks)}
				if len(blocks) > 0 {
					a.Blocks = blocks[i : i+1]
				}
				if rapid.IntRange(0, 5).Draw(t, "overtakes") == 0 { // a window that waits for its agent's disk
					between := encode(t, wire.AnswerFrame(wire.Answer{RequestID: 99, More: true, Blocks: drawNode(t)}))
					require.Equal(t, oracle.read(between), fastWithLoss(d, between))
				}
				frame := encode(t, agent.Frame(a))
				if rapid.IntRange(0, 19).Draw(t, "lose") == 0 {
					whole = whole && dictionary == 0
					continue
				}
				got := fastWithLoss(d, frame)
				require.Equal(t, oracle.read(frame), got)
				if dictionary != 0 && got != lost && rapid.IntRange(0, 9).Draw(t, "again") == 0 {
					require.Equal(t, repeated, oracle.read(frame))
					require.Equal(t, repeated, fastWithLoss(d, frame))
				}
				if got == lost {
					require.False(t, whole, "nothing was lost")
					number, whole = number+1, true
					d.Renew(number)
					*oracle = plainDictionary{number: number}
					break // The others of this answer are of the dictionary before.
				}
				require.Equal(t, said(wire.Answer{RequestID: request, More: a.More, Blocks: a.Blocks}, nil), got)
			}
		}
	})
}

// dictionaryFrames are frames that no correct agent sends.
func dictionaryFrames() map[string]raw {
	slot := func(slot uint64, name string, texts ...string) raw {
		f := raw{}
		if name != "" {
			f = f.text(1, name)
		}
		for i, text := range texts {
			f = f.text(4, text).double(6, float64(i))
		}
		return f.number(7, slot)
	}
	frame := func(request uint64, families ...raw) raw {
		block := raw{}.number(1, 20)
		for _, f := range families {
			block = block.message(2, f)
		}
		return raw{}.message(101, block).number(100, request).number(104, 1)
	}
	one := slot(1, "f", `a="1"`)
	return map[string]raw{
		"defined":                 frame(1, one),
		"begins":                  frame(2, one).number(106, 1),
		"known":                   frame(3, slot(1, "").double(6, 7)),
		"known twice":             frame(4, slot(1, "").double(6, 7), slot(1, "").double(6, 8)),
		"defined and known":       frame(5, slot(1, "f", `a="1"`), slot(1, "").double(6, 8)).number(106, 1),
		"too few values":          frame(6, slot(1, "")),
		"too many values":         frame(7, slot(1, "").double(6, 7).double(6, 8)),
		"not known":               frame(8, slot(9, "").double(6, 7)),
		"known, and texts":        frame(9, slot(1, "", `a="1"`)),
		"out of turn":             frame(10, slot(3, "f", `a="1"`)),
		"no slot":                 frame(11, slot(0, "f", `a="1"`)),
		"invalid series":          frame(12, slot(1, "f", `a="1"`, `b`, `__name__="1"`, `c="1"`)).number(106, 1),
		"invalid series, known":   frame(13, slot(1, "").double(6, 1).double(6, 2).double(6, 3).double(6, 4)),
		"invalid name":            frame(14, slot(1, "\x00f", `a="1"`)).number(106, 1),
		"no type":                 frame(15, slot(1, "f", `a="1"`).number(2, 77)).number(106, 1),
		"much help":               frame(16, slot(1, "f", `a="1"`).text(3, fmt.Sprintf("%040000d", 1))).number(106, 1),
		"no times":                raw{}.message(101, raw{}.message(2, one)).number(100, 17).number(104, 1).number(106, 1),
		"not UTF-8":               frame(18, slot(1, "f", "\xff")),
		"not UTF-8 and no name":   frame(19, slot(1, "", "\xff")),
		"a chunk of a later turn": frame(20, slot(1, "").double(6, 7)).number(105, 1000),
		"no chunk":                frame(20, slot(1, "").double(6, 7)).number(105, 0),
		"more follows":            frame(20, slot(1, "").double(6, 7)).number(102, 1),
		"and more":                frame(20, slot(1, "").double(6, 7)).number(102, 1),
		"another dictionary":      frame(20, one).number(104, 2),
		"no dictionary":           frame(21, one, slot(1, "").double(6, 1)).number(104, 0),
		"a slot of many bits":     frame(22, slot(1<<32+1, "").double(6, 7)),
		"times of scrapes":        frame(23).message(101, raw{}.number(1, 20).text(3, "agent")),
		"known, of a target":      raw{}.message(101, raw{}.text(3, "host").number(1, 20).message(2, slot(1, "").double(6, 7))).number(100, 23).number(104, 1),
		"lost and broken":         append(frame(23, slot(9, "")), 0x00),
	}
}

// Every pair of frames, and each frame twice.
func TestOddDictionaryFrames(t *testing.T) {
	frames := dictionaryFrames()
	for first, before := range frames {
		for second, frame := range frames {
			d, oracle := New(), &plainDictionary{number: 1}
			d.Renew(1)
			for i, b := range [][]byte{before, frame, frame, before} {
				b = oracle.next(b)
				require.Equal(t, oracle.read(b), readOrRenew(d, oracle, b), "%s, then %s: frame %d", first, second, i)
			}
		}
	}
}
