package exposition

import (
	"bytes"
	"io"
	"math"
	"reflect"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"fodc/messages"
)

func TestPageIsStreamed(t *testing.T) {
	c := benchCollection(false, 3)
	f := func(name string, write func(w io.Writer) error) {
		t.Run(name, func(t *testing.T) {
			var whole bytes.Buffer
			require.NoError(t, write(&whole))
			require.Greater(t, whole.Len(), 10*lastFlushBytes)

			w := &failAfter{left: math.MaxInt}
			require.NoError(t, write(w))
			require.Less(t, w.max, lastFlushBytes+bufferSlack)
			require.GreaterOrEqual(t, w.writes, whole.Len()/(lastFlushBytes+bufferSlack))
			require.Less(t, w.first, firstFlushBytes+bufferSlack)

			// The first failure ends the page.
			w = &failAfter{left: firstFlushBytes + 2*bufferSlack}
			err := write(w)
			require.ErrorIs(t, err, errFull)
			require.ErrorContains(t, err, "write the page")
			require.LessOrEqual(t, w.writes, 4)
			require.Equal(t, 1, w.failures)

			// One that comes with the last bytes is told as well.
			w = &failAfter{left: whole.Len() - 1}
			require.ErrorIs(t, write(w), errFull)
		})
	}
	f("text", func(w io.Writer) error { _, err := WriteText(w, c, Options{Timestamps: true}); return err })
	f("openmetrics", func(w io.Writer) error { _, err := WriteOpenMetrics(w, c, Options{}); return err })
	f("json", func(w io.Writer) error { _, err := WriteJSON(w, c); return err })
	var blocks []messages.Block
	for i, n := range benchCollection(false, 3).Nodes {
		for f := range n.Blocks[0].Each() {
			own := *f
			own.Name += strconv.Itoa(i)
			own.Descriptor = nil
			blocks = append(blocks, messages.Block{Times: n.Blocks[0].Times, Families: []messages.Family{own}})
		}
	}
	f("node", func(w io.Writer) error { return WriteNodeText(w, blocks, Options{}) })
}

func TestSeveralWritersShareACollection(t *testing.T) {
	f := func(c, same *messages.Collection) {
		t.Helper()
		var want, wantJSON bytes.Buffer
		_, err := WriteText(&want, c, Options{})
		require.NoError(t, err)
		_, err = WriteJSON(&wantJSON, c)
		require.NoError(t, err)
		var pages [8]bytes.Buffer
		var wg sync.WaitGroup
		for i := range pages {
			wg.Go(func() {
				if i%2 == 0 {
					_, _ = WriteText(&pages[i], c, Options{})
				} else {
					_, _ = WriteJSON(&pages[i], c)
				}
			})
		}
		wg.Wait()
		for i := range pages {
			if i%2 == 0 {
				require.Equal(t, want.String(), pages[i].String())
			} else {
				require.Equal(t, wantJSON.String(), pages[i].String())
			}
		}
		require.True(t, reflect.DeepEqual(zeroNaNs(same), zeroNaNs(c)), "writing changes nothing")
	}
	baseline, same := benchCollection(true, 1), benchCollection(true, 1)
	baseline.Nodes, same.Nodes = baseline.Nodes[:10], same.Nodes[:10]
	f(baseline, same)
	f(cluster(), cluster())
	f(window(), window())
}

// zeroNaNs makes the values comparable.
func zeroNaNs(c *messages.Collection) *messages.Collection {
	for _, n := range c.Nodes {
		for _, b := range n.Blocks {
			for f := range b.Each() {
				for i := range f.Series {
					values := f.ValuesOf(i)
					for i, v := range values {
						if math.IsNaN(v) {
							values[i] = 0
						}
					}
				}
			}
		}
	}
	return c
}

func TestNodesAreSortedById(t *testing.T) {
	page, _ := text(t, collection(
		answer("b", block(1, family("x", gauge, "", one("", 2)))),
		answer("a", block(1, family("x", gauge, "", one("", 1)))),
	), Options{})
	require.Equal(t, "x{node_id=\"a\",node_role=\"data\"} 1\nx{node_id=\"b\",node_role=\"data\"} 2\n", samplesOf(page, "x{"))
}

func TestAppendValue(t *testing.T) {
	f := func(v float64, want string) {
		t.Helper()
		got := string(appendValue(nil, v))
		require.Equal(t, want, got)
		back, err := strconv.ParseFloat(got, 64)
		require.NoError(t, err)
		require.Equal(t, valueBits(v), valueBits(back))
	}
	f(0, "0")
	f(math.Copysign(0, -1), "-0")
	f(1, "1")
	f(-42, "-42")
	f(999999, "999999")
	f(-999999, "-999999")
	f(1e6, "1e+06")
	f(-1e6, "-1e+06")
	f(1234567, "1.234567e+06")
	f(123456789, "1.23456789e+08")
	f(-120000000, "-1.2e+08")
	f(999999999999999, "9.99999999999999e+14")
	f(1e15, "1e+15")
	f(1<<56, "7.205759403792794e+16")
	f(1234567.5, "1.2345675e+06")
	f(0.1, "0.1")
	f(0.001, "0.001")
	f(-999999.999, "-999999.999")
	f(1.005, "1.005")
	f(2.1, "2.1")
	f(0.0001, "0.0001")
	f(-0.5, "-0.5")
	f(1e-7, "1e-07")
	f(math.MaxFloat64, "1.7976931348623157e+308")
	f(math.SmallestNonzeroFloat64, "5e-324")
	f(math.NaN(), "NaN")
	f(math.Inf(1), "+Inf")
	f(math.Inf(-1), "-Inf")
}

// The quick ways to write numbers write what the slow one does.
func FuzzAppendValue(f *testing.F) {
	f.Add(1.0)
	f.Add(-999999.0)
	f.Add(9.99999999e8)
	f.Add(1e6 + 0.001)
	f.Fuzz(func(t *testing.T, v float64) {
		for _, v := range []float64{v, math.Trunc(v), math.Trunc(math.Mod(v, 1e6)), math.Trunc(math.Mod(v, 1e16)),
			math.Trunc(math.Mod(v, 1e9)) / 1000, math.Nextafter(math.Trunc(math.Mod(v, 1e9))/1000, 0), v * 1e-3, v * 1e-300} {
			require.Equal(t, strconv.FormatFloat(v, 'g', -1, 64), string(appendValue(nil, v)))
		}
	})
}
