package bundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"fodc/messages"
	"fodc/recorder/blocks"
	"fodc/recorder/changes"
	"fodc/recorder/journal"

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
	q := changes.Question{From: i.From, First: i.FirstOccurrence, To: i.To, Ends: map[string]time.Time{}}
	if q.To.IsZero() {
		q.To = i.FirstOccurrence.Add(24 * time.Hour)
	}
	for _, n := range i.Nodes {
		if n.Kind != messages.IncidentContext {
			q.Nodes = append(q.Nodes, n.NodeID)
		}
		q.Ends[n.NodeID] = n.To
		// Where the agent had more, it is looked at, too.
		if !n.From.IsZero() && n.From.Before(q.From) {
			q.From = n.From
		}
	}
	return q
}

func addNode(ctx context.Context, src Source, n *messages.IncidentNode, f *changes.Finder) (err error) {
	if done, err := addWindow(ctx, src, n, f); done {
		return err
	}
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
	return errors.Join(missing, addSeries(func(t take) error { return r.Each(ctx, changes.MaxPoints, t) }, n, f))
}

// addWindow passes the samples of a node that has them as the segment of a journal, and no blocks. It makes no blocks of them, for which
// the library takes tens of megabytes. It reports false if there is another way only.
func addWindow(ctx context.Context, src Source, n *messages.IncidentNode, f *changes.Finder) (done bool, err error) {
	window := windowOf(src, n)
	if window == nil {
		return false, nil
	}
	in, size, err := src.Open(window.Path)
	if err != nil {
		return true, err
	}
	defer in.Close()
	at, ok := in.(io.ReaderAt)
	if !ok {
		return false, nil
	}
	view, files, err := journal.OpenSegment(at, size)
	if err != nil {
		return true, err
	}
	var counts blocks.JournalCounts
	err = addSeries(func(t take) (err error) {
		counts, err = blocks.EachOfJournal(ctx, view, files, journalOptions(n), changes.MaxPoints, t)
		return err
	}, n, f)
	return true, convertedOf(window, counts, err)
}

// take is called with each series.
type take = func(l labels.Labels, times []int64, values []float64) error

// addSeries passes the samples of a node to a finder, as many at a time as fit into memory.
func addSeries(each func(take) error, n *messages.IncidentNode, f *changes.Finder) error {
	own := identityLabels(n)
	var batch []changes.Series
	cells := 0
	err := each(func(l labels.Labels, times []int64, values []float64) error {
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
