package proxy

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
)

// partially answers in two chunks, of which the last says that the answer is partial.
func partially(reason string) func(*wire.StreamMetricsResponse) []*wire.StreamMetricsRequest {
	return func(r *wire.StreamMetricsResponse) []*wire.StreamMetricsRequest {
		chunk := func(value float64, more bool) *wire.StreamMetricsRequest {
			return wire.AnswerFrame(wire.Answer{RequestID: r.GetRequestId(), More: more, Blocks: []messages.Block{{
				Times:    []int64{int64(value)},
				Families: []messages.Family{{Name: "g", Series: []messages.Series{{Values: []float64{value}}}}}}}})
		}
		last := chunk(2, false)
		last.Partial = reason
		return []*wire.StreamMetricsRequest{chunk(1, true), last}
	}
}

func partials(c *messages.Collection) map[string]messages.PartialReason {
	m := map[string]messages.PartialReason{}
	for _, n := range c.Nodes {
		m[n.Identity.NodeID] = n.Partial
	}
	return m
}

func TestPartialAnswersComeWithTheirReason(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		w.agent(columnar("recovers"), partially("recovering"))
		w.agent(columnar("damaged"), partially("journal"))
		w.agent(columnar("later"), partially("Of-a.later_version"))
		w.agent(columnar("hostile"), partially("a,b=\"\r\nx"+strings.Repeat("x", 1000)))
		w.agent(columnar("whole"), partially(""))
		w.agent(baseline("baseline"), always(2))
		c := w.collect(messages.Query{Selection: messages.Selection{Window: messages.Window{Start: time.Now().Add(-time.Hour)}}})
		require.Equal(t, map[string]any{"recovers": 2., "damaged": 2., "later": 2., "hostile": 2., "whole": 2., "baseline": 2.}, shown(c),
			"a partial answer is shown")
		require.Equal(t, map[string]messages.PartialReason{"recovers": messages.PartialRecovering, "damaged": messages.PartialJournal,
			"later": "Of-a.later_version", "hostile": messages.PartialReason("a_b____" + strings.Repeat("x", 57)), "whole": "", "baseline": ""}, partials(c))
	})
}

// An agent that cannot answer at all is missing, whatever else it says.
func TestAMissingNodeIsNotPartial(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		w.agent(columnar("fails"), func(r *wire.StreamMetricsResponse) []*wire.StreamMetricsRequest {
			frames := partially("journal")(r)
			frames[0].Partial, frames[1].Error = "journal", "broken"
			return frames
		})
		c := w.collect(messages.Query{})
		require.Equal(t, map[string]any{"fails": messages.MissingError}, shown(c))
		require.Equal(t, map[string]messages.PartialReason{"fails": messages.PartialNone}, partials(c))
	})
}

// Requests that share a collection all learn that it is partial.
func TestASharedAnswerKeepsItsReason(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		a := w.agent(columnar("n1"), func(r *wire.StreamMetricsResponse) []*wire.StreamMetricsRequest {
			time.Sleep(500 * time.Millisecond)
			return partially("journal")(r)
		})
		got := make(chan *messages.Collection, 2)
		for range cap(got) {
			go func() { got <- w.collect(messages.Query{}) }()
			synctest.Wait()
		}
		for range cap(got) {
			require.Equal(t, map[string]messages.PartialReason{"n1": messages.PartialJournal}, partials(<-got))
		}
		require.Len(t, a.requests(), 1)
	})
}
