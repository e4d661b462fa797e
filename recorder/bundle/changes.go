package bundle

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"fodc/messages"
	"fodc/recorder/blocks"
	"fodc/recorder/changes"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

// maxCells bounds the samples of a node that are in memory at once: 64 MiB of times and values.
const maxCells = 4 << 20

// Changes says which series have left their usual course in an incident. It reads one node after the other, with at most maxCells
// samples in memory and the blocks of one node on disk. A node that cannot be read is named in the report; the error is that of the
// context, or of a disk that takes no temporary files.
func Changes(ctx context.Context, src Source) (changes.Report, error) {
	i := src.Incident()
	f := changes.NewFinder(questionOf(i))
	unread := []changes.Unread{}
	for n := range i.Nodes {
		node := &i.Nodes[n]
		if err := addNode(ctx, src, node, f); err != nil {
			if ctx.Err() != nil {
				return changes.Report{}, context.Cause(ctx)
			}
			unread = append(unread, changes.Unread{Node: node.NodeID, Reason: bounded(err.Error())})
		}
	}
	r := f.Report()
	r.Unread = unread
	return r, nil
}

// questionOf says what time an incident is of. One that is open ends with its samples.
func questionOf(i *messages.Incident) changes.Question {
	q := changes.Question{From: i.From, First: i.FirstOccurrence, To: i.To}
	if q.To.IsZero() {
		q.To = i.FirstOccurrence.Add(24 * time.Hour)
	}
	for _, n := range i.Nodes { // Where the agent had more, it is looked at, too.
		if !n.From.IsZero() && n.From.Before(q.From) {
			q.From = n.From
		}
	}
	return q
}

func addNode(ctx context.Context, src Source, n *messages.IncidentNode, f *changes.Finder) (err error) {
	temp, err := tempDir(src)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	dir, missing := nodeBlocks(ctx, src, n, temp)
	if dir == "" {
		return missing
	}
	r, damaged, _ := blocks.OpenDirs([]string{dir}, maxBlocks)
	defer func() { err = errors.Join(err, r.Close()) }()
	for _, d := range damaged {
		if !errors.Is(d.Err, os.ErrNotExist) { // Then missing says why.
			missing = errors.Join(missing, d.Err)
		}
	}
	return errors.Join(missing, addSeries(ctx, r, n, f))
}

// addSeries passes the samples of a node to a finder, as many at a time as fit into memory.
func addSeries(ctx context.Context, r *blocks.Reader, n *messages.IncidentNode, f *changes.Finder) error {
	own := identityLabels(n)
	var batch []changes.Series
	cells := 0
	err := r.Each(ctx, changes.MaxPoints, func(l labels.Labels, times []int64, values []float64) error {
		if cells += len(times); cells > maxCells {
			f.Add(batch)
			batch, cells = nil, len(times)
		}
		batch = append(batch, changes.Series{Node: n.NodeID, Name: l.Get(model.MetricNameLabel), Labels: labelText(l, own), Times: times, Values: values})
		return nil
	})
	f.Add(batch)
	return err
}

// identityLabels are the labels that all series of a node have: a change has the node beside them.
func identityLabels(n *messages.IncidentNode) []string {
	id := identityOf(n)
	own := []string{model.MetricNameLabel}
	for _, l := range id.AppendSampleLabels(nil) {
		own = append(own, l.Name)
	}
	return own
}

// labelText returns the labels as a page has them, without those of the node.
func labelText(l labels.Labels, without []string) string {
	b := make([]byte, 0, 64)
	l.Range(func(l labels.Label) {
		if slices.Contains(without, l.Name) {
			return
		}
		if len(b) > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, "%s=%q", l.Name, l.Value)
	})
	return string(b)
}
