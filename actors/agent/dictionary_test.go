package agent

import (
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"
	"fodc/messages/wire"
	"fodc/recorder"

	"github.com/stretchr/testify/require"
)

// defined counts the families of frames that are defined, and those that refer to a definition.
func defined(frames []*wire.StreamMetricsRequest) (defined, known int) {
	for _, f := range frames {
		for _, b := range f.GetBlocks() {
			for _, family := range b.GetFamilies() {
				if family.GetName() == "" {
					known++
				} else {
					defined++
				}
			}
		}
	}
	return defined, known
}

// An agent defines each family once in the dictionary that the proxy names, on each metrics
// stream.
func TestDictionary(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		broken := make(chan struct{})
		w.proxy.metrics = func(n int, g metricsServer) error {
			if n > 1 {
				return w.proxy.holdMetrics(n, g)
			}
			go func() { _ = w.proxy.holdMetrics(n, g) }()
			<-broken
			return nil
		}
		w.run()
		w.pass(2 * w.cfg.ScrapeInterval) // until the agent has said all of itself
		asked := 0
		ask := func(dictionary uint64) (fresh, known int, begins bool) {
			t.Helper()
			r := columnarRequest(uint64(asked + 1))
			r.Dictionary = dictionary
			w.proxy.ask(r)
			synctest.Wait()
			answers := w.proxy.answers()
			require.Len(t, answers, asked+1)
			asked++
			last := answers[asked-1]
			require.Equal(t, dictionary, last.GetDictionary())
			fresh, known = defined(answers[asked-1:])
			return fresh, known, last.GetDictionaryBegins()
		}
		f := func(dictionary uint64, begins, whole bool, families int) {
			t.Helper()
			fresh, known, began := ask(dictionary)
			require.Equal(t, begins, began)
			if whole {
				fresh, known = known, fresh
			}
			require.Zero(t, fresh)
			require.Equal(t, families, known)
		}
		all, _, _ := ask(0)
		require.Greater(t, all, 3)
		f(1, true, true, all)
		f(1, false, false, all)
		f(0, false, true, all)
		f(1, false, false, all)
		f(2, true, true, all)
		w.node.serve(testPage+"g{a=\"3\"} 3\n", nil)
		w.pass(w.cfg.ScrapeInterval)
		fresh, known, _ := ask(2)
		require.Equal(t, 1, fresh, "one family has changed")
		require.Equal(t, all, fresh+known)
		close(broken)
		w.pass(2 * channelRetryBase)
		require.Len(t, w.proxy.metricsStreams(), 2)
		require.Len(t, w.proxy.sessions(), 1)
		asked = 0
		f(2, true, true, all)
	})
}

// An answer without a dictionary may be sent between the frames of one that has it.
func TestDictionaryIsNotTouchedByAnAnswerWithout(t *testing.T) {
	w := recorder.NewWindow(recorder.Limits{})
	page := scrapeOf("node", bigPage(10_000), time.Unix(1_000_000, 0))
	w.Append(page.target, page.scrape)
	var encoder wire.DictionaryEncoder
	latest := &snapshotReader{snapshot: w.Snapshot(messages.Selection{})}
	window := &snapshotReader{snapshot: w.Snapshot(messages.Selection{Window: messages.Window{Start: time.Unix(1, 0)}})}
	chunk := uint64(0)
	for more := true; more; {
		var frame *wire.StreamMetricsRequest
		frame, more = latest.encode(&encoder, metricsRequest{id: 2, dictionary: 7})
		chunk++
		require.EqualValues(t, 7, frame.GetDictionary())
		require.Equal(t, chunk, frame.GetDictionaryChunk())
		require.Equal(t, chunk == 1, frame.GetDictionaryBegins())
		between, _ := window.encode(&encoder, metricsRequest{id: 1})
		require.Zero(t, between.GetDictionary())
	}
	require.Greater(t, chunk, uint64(1))
}
