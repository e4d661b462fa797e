package journal

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// A field that is not there, or is larger than what is left or than its limit, makes the whole
// body bad.
func TestBody(t *testing.T) {
	f := func(name string, read func(b *body), data ...byte) {
		t.Helper()
		b := body{left: data}
		read(&b)
		require.True(t, b.bad, name)
		require.Empty(t, b.left, name)
		require.Zero(t, b.uvarint())
		require.Zero(t, b.byte())
		require.Empty(t, b.text(10))
	}
	uvarint := func(b *body) { b.uvarint() }
	text := func(b *body) { b.text(3) }
	shared := func(b *body) { b.shared("abc", 5) }
	ranges := func(b *body) { b.ranges(nil, 4) }
	f("no number", uvarint)
	f("number without end", uvarint, 0x80)
	f("number over 64 bits", uvarint, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02)
	f("number over its limit", func(b *body) { b.number(6) }, 7)
	f("no signed number", func(b *body) { b.varint() }, 0x80)
	f("no byte", func(b *body) { b.byte() })
	f("text that ends early", text, 2, 'a')
	f("text over its limit", text, 4, 'a', 'b', 'c', 'd')
	f("more things than fit", func(b *body) { b.count(10, 2) }, 2, 0, 0, 0)
	f("longer begin than the text before", shared, 4, 0, 0)
	f("longer end than what is left of it", shared, 2, 2, 0)
	f("shared text over its limit", shared, 3, 0, 3, 'x', 'y', 'z')
	f("range behind the limit", ranges, 1, 2, 2)
	f("range that begins behind the limit", ranges, 1, 5, 0)
	f("second range behind the limit", ranges, 2, 0, 1, 1, 1)
}

func TestShared(t *testing.T) {
	f := func(before, text string, want ...byte) {
		t.Helper()
		got := appendShared(nil, before, text)
		require.Equal(t, want, got)
		b := body{left: got}
		require.Equal(t, text, b.shared(before, len(text)))
		require.False(t, b.bad)
		require.Empty(t, b.left)
	}
	f("", "ab", 0, 0, 2, 'a', 'b')
	f("ab", "ab", 2, 0, 0)
	f("ab", "", 0, 0, 0)
	f("axb", "ayyb", 1, 1, 2, 'y', 'y')
	f("aa", "aaa", 2, 0, 1, 'a')
	f("aaa", "aa", 2, 0, 0)
}

func TestRanges(t *testing.T) {
	f := func(a, b []int32, want ...byte) {
		t.Helper()
		ranges := rangesWithout(a, b)
		got := appendRanges(nil, ranges)
		require.Equal(t, want, got)
		var ids []int32
		for _, id := range a {
			if !slices.Contains(b, id) {
				ids = append(ids, id)
			}
		}
		read := body{left: got}
		require.Equal(t, ids, read.ranges(nil, 10))
		require.False(t, read.bad)
	}
	f(nil, []int32{1}, 0)
	f([]int32{0, 1, 2}, nil, 1, 0, 2)
	f([]int32{1, 2, 3, 7, 9}, []int32{2, 8}, 4, 1, 0, 1, 0, 3, 0, 1, 0)
	f([]int32{4, 5}, []int32{4, 5}, 0)
}
