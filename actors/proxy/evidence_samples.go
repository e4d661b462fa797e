package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/journal"
)

// SampleWindow is samples of a node that become blocks.
type SampleWindow struct {
	View  *journal.View
	Files journal.FS
	// Identity is the node's, ClockOffset what is added to the times, From and To bound them then. Zero times are
	// no bounds.
	Identity    messages.Identity
	ClockOffset time.Duration
	From, To    time.Time
	// Seed makes the names of the blocks: twice the same makes the same names.
	Seed string
}

// BlocksOf makes blocks of a Prometheus database, and passes their files to put. It returns how many samples
// they have. It may block for as long as the disk does.
type BlocksOf func(ctx context.Context, w SampleWindow, put func(path string, content io.Reader) error) (samples int, err error)

const (
	// streamedStep is for how much time samples are collected at once: the answer is in memory.
	streamedStep = 2 * time.Minute
	// streamedTimeout bounds one such collection.
	streamedTimeout = 20 * time.Second
	// maxStreamedTime bounds the time of which samples are collected.
	maxStreamedTime = 2 * time.Hour
)

// windowOf returns what becomes blocks, without the samples.
func windowOf(job evidenceJob) SampleWindow {
	n := &job.want.node
	return SampleWindow{
		Identity:    messages.Registration{NodeID: n.NodeID, Role: n.Role, PodName: n.PodName, Labels: n.Labels}.Identity(),
		ClockOffset: correctionOf(n),
		Seed:        job.key.incidentID + " " + job.key.nodeID,
	}
}

// correctionOf returns what is added to the times of a node, as in a collection.
func correctionOf(n *messages.IncidentNode) time.Duration {
	offset := -time.Duration(n.ClockOffsetSeconds * float64(time.Second))
	return clockOffset(&messages.Timing{ClockOffset: offset})
}

// convert makes blocks of a segment that is in the store, and removes it. If that is not possible, the segment is what
// is kept.
func (f *evidenceFetcher) convert(ctx context.Context, job evidenceJob, segment messages.EvidenceFile) *fileEnd {
	file, err := f.store.OpenFile(job.key.incidentID, segment.Path)
	if err != nil {
		return f.storeEnd(err)
	}
	defer file.Close()
	w := windowOf(job)
	if w.View, w.Files, err = journal.OpenSegment(file, file.Size()); err != nil {
		return &fileEnd{files: []messages.EvidenceFile{segment}}
	}
	files, err := f.putBlocks(ctx, job, w)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return &fileEnd{files: []messages.EvidenceFile{segment}}
	}
	_ = f.store.Remove(job.key.incidentID, segment.Path)
	for _, old := range f.blocksOf(job, true) {
		if !slices.ContainsFunc(files, func(file messages.EvidenceFile) bool { return file.Path == old.Path }) {
			_ = f.store.Remove(job.key.incidentID, old.Path)
		}
	}
	if len(files) == 0 {
		return &fileEnd{reason: errNoSamples.Error(), final: true}
	}
	return &fileEnd{files: files}
}

var errNoSamples = errors.New("there are no samples of that time")

// putBlocks makes blocks, and puts them into the store. There are none if there are no samples.
func (f *evidenceFetcher) putBlocks(ctx context.Context, job evidenceJob, w SampleWindow) (files []messages.EvidenceFile, err error) {
	select {
	case f.converting <- struct{}{}:
		defer func() { <-f.converting }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	samples, err := f.blocks(ctx, w, func(name string, content io.Reader) error {
		file, err := f.put(job.key.incidentID, blockDir(job.key.nodeID)+name, content)
		if err == nil {
			files = append(files, file)
		}
		return err
	})
	if err == nil && samples > 0 {
		return files, nil
	}
	for _, file := range files {
		_ = f.store.Remove(job.key.incidentID, file.Path)
	}
	return nil, err
}

// put stores a file of a block.
func (f *evidenceFetcher) put(id, name string, content io.Reader) (messages.EvidenceFile, error) {
	w, err := f.store.CreateWhole(id, name, messages.EvidenceMetrics, maxEvidenceFile)
	if err != nil {
		return messages.EvidenceFile{}, err
	}
	defer w.Abort()
	if _, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{content}, make([]byte, downloadPiece)); err != nil {
		return messages.EvidenceFile{}, err
	}
	return w.Commit()
}

// blocksOf returns the files of the blocks that the document of the incident names for the node: its samples have come
// before. It returns nil if there are none. Those of what the proxy has kept are marked as truncated: the node
// itself has more.
func (f *evidenceFetcher) blocksOf(job evidenceJob, kept bool) (files []messages.EvidenceFile) {
	doc, ok := f.store.Get(job.key.incidentID)
	if !ok {
		return nil
	}
	for i := range doc.Nodes {
		for _, file := range doc.Nodes[i].Files {
			if strings.HasPrefix(file.Path, blockDir(job.key.nodeID)) && (kept || !file.Truncated) {
				files = append(files, file)
			}
		}
	}
	isMeta := func(file messages.EvidenceFile) bool { return path.Base(file.Path) == "meta.json" }
	if !slices.ContainsFunc(files, isMeta) {
		return nil
	}
	return files
}

// fetchSamples collects the samples of a node from its stream of metrics, and makes blocks of them.
func (f *evidenceFetcher) fetchSamples(ctx context.Context, job evidenceJob, file messages.EvidenceFile) (end *fileEnd, waits string) {
	if has := f.blocksOf(job, false); has != nil {
		return &fileEnd{files: has}, ""
	}
	w, err := f.store.CreateWhole(job.key.incidentID, file.Path, messages.EvidenceWindow, maxEvidenceFile)
	if err != nil {
		return f.storeEnd(err), ""
	}
	defer w.Abort()
	var missing error
	n := &job.want.node
	info, err := journal.WriteSegment(w, journal.Node{NodeID: n.NodeID, Role: n.Role, PodName: n.PodName, Labels: n.Labels}, n.To.UnixMilli(),
		func(yield func(*recorder.Batch, error) bool) {
			missing = f.eachBatch(ctx, job, yield)
			if missing != nil {
				yield(nil, missing)
			}
		})
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx).Error()
	case missing != nil:
		return &fileEnd{reason: missing.Error()}, missing.Error()
	case err != nil:
		return f.storeEnd(err), ""
	case info.Scrapes() == 0:
		return &fileEnd{reason: errNoSamples.Error(), final: true}, ""
	}
	segment, err := w.Commit()
	if err != nil {
		return f.storeEnd(err), ""
	}
	return f.convert(ctx, job, segment), ""
}

// fetchKept makes blocks of what the proxy has kept of a node.
func (f *evidenceFetcher) fetchKept(ctx context.Context, job evidenceJob) (end *fileEnd, waits string) {
	if has := f.blocksOf(job, true); has != nil {
		return &fileEnd{files: has}, ""
	}
	if f.kept == nil {
		return &fileEnd{reason: "the proxy keeps no samples of nodes: see --keep-last", final: true}, ""
	}
	w := windowOf(job)
	w.From, w.To = job.want.node.From, job.want.node.To
	var err error
	if w.View, w.Files, err = f.kept(job.key.nodeID); err != nil {
		return &fileEnd{reason: "what was kept of the node cannot be read: " + err.Error()}, ""
	}
	files, err := f.putBlocks(ctx, job, w)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx).Error()
	case err != nil:
		return f.storeEnd(err), ""
	case len(files) == 0:
		return &fileEnd{reason: errNoSamples.Error(), final: true}, ""
	}
	for i := range files {
		files[i].Truncated = true
	}
	return &fileEnd{files: files}, ""
}

// eachBatch yields the scrapes of the time by the node's clock, until yield returns false. The error says why not
// all can be had.
func (f *evidenceFetcher) eachBatch(ctx context.Context, job evidenceJob, yield func(*recorder.Batch, error) bool) error {
	n := &job.want.node
	correction := correctionOf(n)
	from, to := n.From.Add(-correction), n.To.Add(-correction)
	if to.Sub(from) > maxStreamedTime {
		from = to.Add(-maxStreamedTime)
	}
	batcher := recorder.NewBatcher()
	for !from.After(to) {
		end := from.Add(streamedStep - time.Millisecond)
		if end.After(to) {
			end = to
		}
		answer, err := f.ask(ctx, n.NodeID, messages.Window{Start: from, End: end})
		if err != nil {
			return err
		}
		for b := range batcher.Of(answer.Blocks) {
			if !yield(b, nil) {
				return nil
			}
		}
		from = end.Add(time.Millisecond)
	}
	return nil
}

// ask collects the samples of a node, by its clock. The collection yields to pages.
func (f *evidenceFetcher) ask(ctx context.Context, nodeID string, w messages.Window) (messages.NodeAnswer, error) {
	c, err := f.collect(ctx, messages.Query{Filter: messages.NodeFilter{NodeIDs: []string{nodeID}}, Selection: messages.Selection{Window: w, ScrapeTimes: true},
		Deadline: time.Now().Add(streamedTimeout), Yields: true})
	if err != nil {
		return messages.NodeAnswer{}, err
	}
	for i := range c.Nodes {
		switch n := &c.Nodes[i]; {
		case n.Identity.NodeID != nodeID:
		case n.Missing != messages.MissingNone:
			return *n, fmt.Errorf("the node's samples cannot be had: %s", n.Missing)
		default:
			return *n, nil
		}
	}
	return messages.NodeAnswer{}, fmt.Errorf("no node with the node_id %s is registered", quote(nodeID))
}
