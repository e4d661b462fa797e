package bundle

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"fodc/messages"
	"fodc/recorder/blocks"
	"fodc/recorder/changes"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

// Limits of a small bundle, in bytes before they are compressed.
const (
	// liteBytes is for all evidence; with the documents and what tar adds the whole stays below 10 MiB.
	liteBytes = 7 << 20
	// liteMetrics is the part of it that is for metrics.
	liteMetrics = 4 << 20
	// liteText bounds one file, so that one node's does not take the place of all others' state.
	liteText = 256 << 10
	// entryBytes is what a file costs beside its content.
	entryBytes = 1 << 10
	// leastBlock is what a block takes at least, with its files.
	leastBlock = 4 << 10
	// fewFamilies are taken where all that have changed are too many.
	fewFamilies = 12
)

// litePlan is what of an incident is in a small bundle.
type litePlan struct {
	incident *messages.Incident
	// made are the files that were made for it, by path.
	made map[string]string
	left int64
	// metrics is what is left for metrics.
	metrics int64
	taken   map[string]bool
}

// writeLite writes the documents, and of the evidence what is small: first what says how the nodes are, then the metrics that have changed,
// then the ends of logs.
func (b *writer) writeLite(report *changes.Report) (err error) {
	temp, err := tempDir(b.src)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	i := b.src.Incident().Clone()
	p := &litePlan{incident: &i, made: map[string]string{}, left: liteBytes, metrics: liteMetrics, taken: map[string]bool{}}
	p.takeSmall([]string{messages.EvidenceEvents, messages.EvidenceConfig, messages.EvidenceProcess, messages.EvidenceCrash, messages.EvidenceAgent}, liteText)
	for _, n := range p.order(report) {
		if err := b.liteBlocks(p, &i.Nodes[n], report, temp); err != nil {
			return err
		}
	}
	if err := b.liteLogs(p, temp); err != nil {
		return err
	}
	p.strike()
	fitDocument(&i)
	if err := b.documents(&i, report); err != nil {
		return err
	}
	for n := range i.Nodes {
		if err := b.liteNode(p, &i.Nodes[n]); err != nil {
			return err
		}
	}
	return nil
}

func (b *writer) liteNode(p *litePlan, n *messages.IncidentNode) error {
	hasBlocks := false
	for f := range n.Files {
		file := &n.Files[f]
		made, isMade := p.made[file.Path]
		var err error
		if hasBlocks = hasBlocks || isMade && file.What == messages.EvidenceMetrics; isMade {
			err = b.local(file.Path, made)
		} else {
			err = b.evidence(b.src, file)
		}
		if err != nil {
			return err
		}
	}
	if !hasBlocks {
		return nil
	}
	return b.blockDirectory(n)
}

// take reports whether a file fits, and takes it.
func (p *litePlan) take(path string, bytes int64) bool {
	if bytes += entryBytes; bytes > p.left {
		return false
	}
	p.left -= bytes
	p.taken[path] = true
	return true
}

// takeSmall takes files of the kinds, the smallest first, so that each node has its part.
func (p *litePlan) takeSmall(kinds []string, most int64) {
	var all []messages.EvidenceFile
	for _, n := range p.incident.Nodes {
		for _, f := range n.Files {
			if kind, _, _ := strings.Cut(f.What, "/"); slices.Contains(kinds, kind) && f.Bytes <= most {
				all = append(all, f)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b messages.EvidenceFile) int { return cmp.Compare(a.Bytes, b.Bytes) })
	for _, f := range all {
		p.take(f.Path, f.Bytes)
	}
}

// order returns the nodes by how much is to be learned of them: those that changed first, then those on which a rule fired.
func (p *litePlan) order(report *changes.Report) (nodes []int) {
	rank := map[string]int{}
	for at, c := range report.Changes {
		for _, id := range c.Nodes {
			if _, ok := rank[id]; !ok {
				rank[id] = at - len(report.Changes)
			}
		}
	}
	for n := range p.incident.Nodes {
		nodes = append(nodes, n)
		if node := &p.incident.Nodes[n]; rank[node.NodeID] == 0 && node.Kind == messages.IncidentContext {
			rank[node.NodeID] = 1
		}
	}
	slices.SortStableFunc(nodes, func(a, b int) int {
		return cmp.Compare(rank[p.incident.Nodes[a].NodeID], rank[p.incident.Nodes[b].NodeID])
	})
	return nodes
}

// liteBlocks makes blocks of the families of a node that have changed, of all or of the first ones.
func (b *writer) liteBlocks(p *litePlan, n *messages.IncidentNode, report *changes.Report, temp string) (err error) {
	if min(p.metrics, p.left) < leastBlock {
		return nil
	}
	if temp, err = os.MkdirTemp(temp, "node-*"); err != nil {
		return err
	}
	dir, _ := nodeBlocks(b.ctx, b.src, n, temp) // The report says what is wrong with it.
	if dir == "" {
		return b.ctx.Err()
	}
	r, _, _ := blocks.OpenDirs([]string{dir}, maxBlocks)
	defer func() {
		err = errors.Join(err, r.Close(), os.RemoveAll(filepath.Join(temp, blockDir)))
	}()
	for _, most := range []int{len(report.Changes), fewFamilies} {
		out := filepath.Join(temp, "lite")
		if _, err := r.WriteSubset(b.ctx, out, changedIn(report, most)); err != nil {
			if b.ctx.Err() != nil {
				return err
			}
			return os.RemoveAll(out)
		}
		if ok, err := p.takeBlocks(n, out); ok || err != nil {
			return err
		}
		if err := os.RemoveAll(out); err != nil {
			return err
		}
	}
	return nil
}

// changedIn says which series are of the first families that have changed, or came near a limit.
func changedIn(report *changes.Report, most int) func(labels.Labels) bool {
	names := map[string]bool{"up": true, "fodc_node_up": true}
	for _, c := range report.Changes[:min(most, len(report.Changes))] {
		for _, suffix := range []string{"", "_bucket", "_sum", "_count"} {
			names[c.Family+suffix] = true
		}
	}
	for _, l := range report.Limits {
		names[l.Name] = true
	}
	return func(l labels.Labels) bool { return names[l.Get(model.MetricNameLabel)] }
}

// takeBlocks takes blocks that were made, if all of them fit.
func (p *litePlan) takeBlocks(n *messages.IncidentNode, dir string) (bool, error) {
	names, err := filesBelow(dir)
	if err != nil {
		return false, err
	}
	var files []messages.EvidenceFile
	total := int64(0)
	for _, name := range names {
		size, sum, err := sumOf(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			return false, err
		}
		files = append(files, messages.EvidenceFile{Path: n.Dir + "/" + blockDir + "/" + name, What: messages.EvidenceMetrics, Bytes: size, SHA256: sum, Truncated: true})
		total += size + entryBytes
	}
	if total > min(p.metrics, p.left) {
		return false, nil
	}
	n.Files = slices.DeleteFunc(n.Files, func(f messages.EvidenceFile) bool { return f.What == messages.EvidenceMetrics })
	for i, f := range files {
		p.made[f.Path] = filepath.Join(dir, filepath.FromSlash(names[i]))
		p.take(f.Path, f.Bytes)
	}
	n.Files = append(n.Files, files...)
	slices.SortFunc(n.Files, func(a, b messages.EvidenceFile) int { return cmp.Compare(a.Path, b.Path) })
	p.metrics -= total
	return true, nil
}

// strike removes what was not taken from the document.
func (p *litePlan) strike() {
	for n := range p.incident.Nodes {
		node := &p.incident.Nodes[n]
		before := len(node.Files)
		node.Files = slices.DeleteFunc(node.Files, func(f messages.EvidenceFile) bool { return !p.taken[f.Path] })
		if left := before - len(node.Files); left > 0 && len(node.Missing) < messages.MaxEvidenceMissing {
			node.Missing = append(node.Missing, messages.EvidenceMissing{What: plural(left, "file"), Reason: "left out of a small bundle"})
		}
		node.Bytes = 0
		for _, f := range node.Files {
			node.Bytes += f.Bytes
		}
	}
}
