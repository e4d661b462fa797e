package promstore

import (
	"fodc/httpapi/exposition"
	"fodc/messages"
)

// addAbout adds the series about a node's part of the collection. There is one sample of each, at
// the time of the collection, but for those that say when the node was up.
func (a *assembler) addAbout(from source) {
	id := messages.Identity{NodeID: from.answer.Identity.NodeID, Role: from.answer.Identity.Role, PodName: from.answer.Identity.PodName}
	stamped := NewNodeLabels(id)
	exposition.EachCollectionSample(from.answer, func(name string, own messages.LabelText, value float64) {
		if !a.families.matchesName(name) {
			return
		}
		l, err := stamped.Labels(name, own)
		if err != nil || !a.watch.matchesAll(a.matchers, l) {
			return
		}
		if name == exposition.FamilyUp && !a.selection.instant && !a.selection.seriesOnly {
			if s := newUpSeries(l, from, a.selection); s != nil {
				a.ready = append(a.ready, s)
			}
			return
		}
		at := from.of.at
		if at-a.selection.end <= maxInstantAge.Milliseconds() {
			at = min(at, a.selection.end)
		}
		if a.selection.seriesOnly || a.selection.start <= at && at <= a.selection.end {
			times := []int64{at}
			c := chunk{&timeRange{times: times, to: 1, scrapes: scrapeTimes{times}}, []float64{value}, 0, 1}
			a.ready = append(a.ready, &series{labels: l, chunks: []chunk{c}, bounds: &bounds{end: at}})
		}
	})
}
