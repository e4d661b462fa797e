//go:build bench && linux

package querybench

import (
	"fmt"
	"strconv"
	"time"

	"fodc/recorder"
	"fodc/recorder/journal"
	"fodc/recorder/journal/diskfs"
)

const (
	// interval is that of the scrapes.
	interval = 10 * time.Second
	// past is what the journals of the agents have: an hour, and what a query looks back.
	past = 70 * time.Minute
	// The series of a page: one family of one, and families of ten.
	families  = 30
	perFamily = 10
)

// The families that are asked for.
const (
	oneSeries = "bench_one_total"
	tenSeries = "bench_node_metric_0000_total"
)

// nodePage is the page of a node's n-th scrape.
func nodePage(b []byte, node, n int) []byte {
	b = append(b[:0], "# HELP "+oneSeries+" The family of one series.\n# TYPE "+oneSeries+" counter\n"+oneSeries+" "...)
	b = append(strconv.AppendInt(b, int64(n*(7+node%5)), 10), '\n')
	for f := range families {
		b = fmt.Appendf(b, "# HELP bench_node_metric_%04d_total A counter of the family number %d\n# TYPE bench_node_metric_%04d_total counter\n", f, f, f)
		for s := range perFamily {
			b = fmt.Appendf(b, "bench_node_metric_%04d_total{group=\"sw_metric\",segment=\"%d\",operation=\"write_batch\"} ", f, s)
			b = append(strconv.AppendInt(b, int64(node*1000+n*(f+s)), 10), '\n')
		}
	}
	return b
}

// writer returns an open journal of a node in a directory.
func writer(dir, node string, at time.Time) (*journal.Writer, error) {
	w := journal.NewWriter(diskfs.New(dir+"/journal"), journal.Config{Node: journal.Node{NodeID: node},
		RetentionTime: 72 * time.Hour, RetentionBytes: 512 << 20, SyncInterval: time.Hour, MinFree: .01})
	return w, w.Open(at)
}

// writePast writes a journal that ends now, of scrapes of the target.
func writePast(dir, node string, of recorder.Target, long time.Duration, page func(n int) []byte) error {
	now := time.Now()
	first := now.Add(-long).Truncate(interval)
	w, err := writer(dir, node, first)
	if err != nil {
		return err
	}
	window := recorder.NewWindow(recorder.Limits{})
	var parsed recorder.Page
	at := first
	for n := 0; at.Before(now); n++ {
		parsed.Parse(page(n), "text/plain; version=0.0.4", recorder.ParseLimits{})
		_, batch := window.AppendBatch(of, recorder.Scrape{At: at, Page: &parsed})
		if err := w.Append(batch, at); err != nil {
			return err
		}
		at = at.Add(interval)
	}
	return w.Close(now)
}
