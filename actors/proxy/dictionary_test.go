package proxy

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
)

func describing(id string) *wire.RegisterAgentRequest {
	r := columnar(id)
	r.Capabilities = append(r.Capabilities, wire.Capability_CAPABILITY_DICTIONARY)
	return r
}

// describingAgent answers as our agents do: each answer says how many there were.
type describingAgent struct {
	describer wire.DictionaryEncoder
	answers   atomic.Int64
	sent      []*wire.StreamMetricsRequest
	// disturb changes what is sent; nil is nothing.
	disturb func(*wire.StreamMetricsRequest)
}

func (a *describingAgent) answer(r *wire.StreamMetricsResponse) []*wire.StreamMetricsRequest {
	n := float64(a.answers.Add(1))
	a.describer.Begin(r.GetDictionary())
	f := a.describer.Frame(wire.Answer{RequestID: r.GetRequestId(), Blocks: []messages.Block{{Times: []int64{1}, Families: []messages.Family{
		{Name: "g", Type: messages.TypeGauge, Help: "help", Series: []messages.Series{{Labels: `a="1"`, Values: []float64{n}}}}}}}})
	if a.disturb != nil {
		a.disturb(f)
	}
	a.sent = append(a.sent, f)
	return []*wire.StreamMetricsRequest{f}
}

// form returns how the newest answer has the family.
func (a *describingAgent) form() string {
	f := a.sent[len(a.sent)-1].GetBlocks()[0].GetFamilies()[0]
	return fmt.Sprintf("%q in slot %d", f.GetName(), f.GetSlot())
}

const (
	inFull    = `"g" in slot 0`
	described = `"g" in slot 1`
	known     = `"" in slot 1`
)

func TestFamiliesAreDescribedOnce(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		a := &describingAgent{}
		stream := w.agent(describing("n1"), a.answer)
		stream.beat()
		collect := func(want float64, form string) {
			t.Helper()
			require.Equal(t, map[string]any{"n1": want}, shown(w.collect(messages.Query{})))
			synctest.Wait()
			require.Equal(t, form, a.form())
		}
		collect(1, described)
		collect(2, known)
		collect(3, known)
		w.collect(messages.Query{Selection: messages.Selection{Window: messages.Window{Start: time.Unix(0, 0)}}})
		require.Equal(t, inFull, a.form(), "a window has no dictionary")
		collect(5, known)
		a.describer = wire.DictionaryEncoder{}
		stream.openMetrics(a.answer)
		synctest.Wait()
		collect(6, described)
		time.Sleep(decoderIdleTimeout - time.Minute)
		collect(7, known)
		time.Sleep(decoderIdleTimeout + time.Minute)
		collect(8, described)
		require.Equal(t, "help", w.collect(messages.Query{}).Nodes[0].Blocks[0].Families[0].Help)
		require.Equal(t, known, a.form())
	})
}

func TestAgentsWithoutDictionary(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		a := &describingAgent{}
		f := w.agent(columnar("n1"), a.answer)
		for i := range 3 {
			require.Equal(t, map[string]any{"n1": float64(i + 1)}, shown(w.collect(messages.Query{})))
			require.Equal(t, inFull, a.form())
		}
		for _, r := range f.requests() {
			require.Zero(t, r.GetDictionary())
		}
	})
}

// Families that are described in an answer that nobody waits for any more are known all the
// same.
func TestLateDescriptionsAreRead(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		a := &describingAgent{}
		var quick atomic.Bool
		w.agent(describing("n1"), func(r *wire.StreamMetricsResponse) []*wire.StreamMetricsRequest {
			if !quick.Load() {
				time.Sleep(2 * time.Second)
			}
			return a.answer(r)
		})
		late := w.collect(messages.Query{Deadline: time.Now().Add(time.Second)})
		require.Equal(t, map[string]any{"n1": messages.MissingTimeout}, shown(late))
		time.Sleep(2 * time.Second)
		quick.Store(true)
		require.Equal(t, map[string]any{"n1": 2.}, shown(w.collect(messages.Query{})))
		synctest.Wait()
		require.Equal(t, known, a.form())
	})
}

// A dictionary that is lost costs one answer, and three in a row cost the dictionary.
func TestLostDictionaries(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		a := &describingAgent{}
		w.agent(describing("n1"), a.answer)
		collect := func(want any, form string) {
			t.Helper()
			require.Equal(t, map[string]any{"n1": want}, shown(w.collect(messages.Query{})))
			synctest.Wait()
			require.Equal(t, form, a.form())
		}
		lose := func(f *wire.StreamMetricsRequest) {
			f.Blocks[0].Families[0] = &wire.Family{Slot: 7, Values: []float64{1}}
		}
		collect(1., described)
		a.disturb = lose
		collect(messages.MissingError, `"" in slot 7`)
		a.disturb = nil
		collect(3., described)
		a.disturb = lose
		for range maxDictionaryLosses {
			collect(messages.MissingError, `"" in slot 7`)
		}
		a.disturb = nil
		collect(7., inFull)
		require.EqualValues(t, 1+maxDictionaryLosses, w.counts().FramesRejected["lost"])
		require.Equal(t, 1, w.alive("session"))
	})
}

// A slot stands for no more than one family of an answer: a short answer cannot become a
// long page.
func TestNoFamilyTwice(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		a := &describingAgent{}
		w.agent(describing("n1"), a.answer)
		w.collect(messages.Query{})
		a.disturb = func(f *wire.StreamMetricsRequest) {
			f.Blocks[0].Families = append(f.Blocks[0].Families, f.Blocks[0].Families[0])
		}
		require.Equal(t, map[string]any{"n1": messages.MissingError}, shown(w.collect(messages.Query{})))
	})
}

// A frame that comes twice costs nothing but itself.
func TestRepeatedFrames(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		a := &describingAgent{}
		w.agent(describing("n1"), func(r *wire.StreamMetricsResponse) []*wire.StreamMetricsRequest {
			f := a.answer(r)
			return append(f, f...)
		})
		for i := range 20 {
			require.Equal(t, map[string]any{"n1": float64(i + 1)}, shown(w.collect(messages.Query{})))
			synctest.Wait()
		}
		require.Equal(t, known, a.form())
		require.EqualValues(t, 20, w.counts().FramesRejected["unasked"])
		require.Zero(t, w.counts().FramesRejected["lost"])
	})
}
