package export

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"

	"fodc/messages"
	"fodc/recorder/journal"
	"fodc/recorder/promstore"
)

// Run exports a journal. Errors of a part of it are warnings on stderr.
func Run(ctx context.Context, c Config, dir journal.FS, stdout, stderr io.Writer) error {
	v, err := journal.OpenView(dir)
	if err != nil {
		return fmt.Errorf("list the segments: %w", err)
	}
	r := newReport(stderr, "fodc journal export")
	for _, u := range v.Unreadable {
		r.warn("%v: the segment is left out", u.Err)
	}
	return newExporter(c, nodesOf(dir, v), r).run(ctx, stdout)
}

// nodesOf returns the nodes of a journal, sorted by node id: one for each identity, since a node
// may have got another role or other labels.
func nodesOf(dir journal.FS, v *journal.View) []*node {
	byLabels := make(map[string]*node)
	views := make(map[*node]*journal.View)
	var all []*node
	for i, of := range v.Nodes() {
		s := &v.Segments[i]
		if s.Scrapes() == 0 {
			continue
		}
		id := messages.Registration{NodeID: of.NodeID, Role: of.Role, PodName: of.PodName, Labels: of.Labels}.Identity()
		// Those whose samples get the same labels are one node, for a page has each series once.
		key := string(messages.RenderLabels(id.AppendSampleLabels(nil)))
		n := byLabels[key]
		if n == nil {
			n = &node{identity: id, labels: promstore.NewNodeLabels(id), from: s.MinTime, to: s.MaxTime}
			byLabels[key], views[n] = n, &journal.View{}
			all = append(all, n)
		}
		n.from, n.to = min(n.from, s.MinTime), max(n.to, s.MaxTime)
		views[n].Segments = append(views[n].Segments, *s)
	}
	for n, of := range views {
		n.read = func(sel messages.Selection) reader { return of.NewReader(dir, journal.Query{Selection: sel}) }
	}
	slices.SortStableFunc(all, func(a, b *node) int { return cmp.Compare(a.identity.NodeID, b.identity.NodeID) })
	return all
}
