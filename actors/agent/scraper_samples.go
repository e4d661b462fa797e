package agent

import (
	"slices"

	"fodc/messages"
	"fodc/recorder"
)

// scrapeCounts are the sums over all scrapes of a target.
type scrapeCounts struct {
	scrapes, untyped int
	failures         map[failureKind]int
	dropped          droppedSamples
}

func newScrapeCounts() scrapeCounts { return scrapeCounts{failures: map[failureKind]int{}} }

// droppedSamples counts samples that were on a page and are not recorded, by reason.
type droppedSamples struct {
	duplicate, invalid, labelBytes, labelCount, seriesLimit int
}

func (d *droppedSamples) add(a recorder.AppendResult) {
	d.duplicate += a.Dropped.Duplicate
	d.invalid += a.Dropped.Invalid
	d.labelBytes += a.Dropped.LabelBytes
	d.labelCount += a.Dropped.LabelCount
	d.seriesLimit += a.Dropped.NoRoom()
}

// droppedReasons are all reasons, in the order of metrics.
var droppedReasons = []struct {
	reason string
	count  func(*droppedSamples) int
}{
	{"duplicate", func(d *droppedSamples) int { return d.duplicate }},
	{"invalid", func(d *droppedSamples) int { return d.invalid }},
	{"label_bytes", func(d *droppedSamples) int { return d.labelBytes }},
	{"label_count", func(d *droppedSamples) int { return d.labelCount }},
	{"series_limit", func(d *droppedSamples) int { return d.seriesLimit }},
}

// maps returns the counts that are not 0, by kind and by reason.
func (c *scrapeCounts) maps() (failures, dropped map[string]int) {
	failures, dropped = map[string]int{}, map[string]int{}
	for kind, n := range c.failures {
		failures[string(kind)] = n
	}
	for _, r := range droppedReasons {
		if n := r.count(&c.dropped); n > 0 {
			dropped[r.reason] = n
		}
	}
	return failures, dropped
}

// samplesOfScrapes are the samples that are recorded of a target's scrapes, without values.
func samplesOfScrapes(endpoint string) []recorder.Sample {
	is := messages.Label{Name: "endpoint", Value: endpoint}
	sample := func(r recorder.Sample, more ...messages.Label) recorder.Sample {
		r.Labels = append([]messages.Label{is}, more...)
		return r
	}
	all := []recorder.Sample{
		sample(gauge("fodc_node_up", "Whether the latest scrape of the node's endpoint succeeded.", 0)),
		sample(gauge("fodc_node_scrape_duration_seconds", "Duration of the latest scrape of the endpoint.", 0)),
		sample(gauge("fodc_node_scrape_page_bytes", "Size of the page of the latest scrape, uncompressed.", 0)),
		sample(gauge("fodc_node_scrape_samples", "Samples on the page of the latest scrape.", 0)),
		sample(gauge("fodc_node_scrape_bad_lines", "Invalid lines of the page of the latest scrape, which were skipped.", 0)),
		sample(counter("fodc_node_scrapes_total", "Scrapes of the endpoint.", 0)),
		sample(counter("fodc_node_untyped_pages_total", "Pages whose content type was missing or unknown, and that were read as text.", 0)),
	}
	for _, kind := range failureKinds {
		all = append(all, sample(counter("fodc_node_scrape_failures_total", "Failed scrapes of the endpoint, by kind of failure.", 0),
			messages.Label{Name: "kind", Value: string(kind)}))
	}
	for _, r := range droppedReasons {
		all = append(all, sample(counter("fodc_node_dropped_samples_total", "Samples of the endpoint's pages that are not recorded, by reason.", 0),
			messages.Label{Name: "reason", Value: r.reason}))
	}
	return all
}

// samples returns the samples to record with the newest scrape.
func (s *scraperState) samples() []recorder.Sample {
	h, c := &s.health, &s.counts
	up := 0
	if h.Up {
		up = 1
	}
	all := slices.Clone(s.template)
	next := all
	set := func(v float64) {
		next[0].Value = v
		next = next[1:]
	}
	for _, n := range []float64{float64(up), h.DurationSeconds, float64(h.PageBytes), float64(h.Samples), float64(h.BadLines),
		float64(c.scrapes), float64(c.untyped)} {
		set(n)
	}
	for _, kind := range failureKinds {
		set(float64(c.failures[kind]))
	}
	for _, r := range droppedReasons {
		set(float64(r.count(&c.dropped)))
	}
	return all
}
