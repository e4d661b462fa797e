package bundle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"fodc/messages"
	"fodc/recorder/blocks"
)

const (
	// incidentsDir is the directory of the incidents in that of a storage.
	incidentsDir = "incidents"
	// maxOpened bounds the incidents of a directory; the newest are taken.
	maxOpened = 1000
	// maxReadme is how much of a README is read.
	maxReadme = 256 << 10
)

// Opened is incidents that were found in a file or a directory.
type Opened struct {
	// Incidents are in the order of their ids, which is that of time.
	Incidents []*Dir
	// Problems say what could not be read.
	Problems []string
	// temp is a directory that is removed in the end.
	temp string
}

// Open opens a bundle, an unpacked one, a directory of one incident or of many, or a storage directory. The directory is only read.
// Close removes what was unpacked. A bundle that ends too early is an error.
func Open(ctx context.Context, path string) (o *Opened, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	temp, err := os.MkdirTemp("", "fodc-view-*")
	if err != nil {
		return nil, err
	}
	o = &Opened{temp: temp}
	defer func() {
		if err != nil {
			err = errors.Join(err, o.Close())
			o = nil
		}
	}()
	dir := path
	if !info.IsDir() {
		dir = filepath.Join(temp, "bundle")
		if err := os.Mkdir(dir, 0o700); err != nil {
			return o, err
		}
		if err := extract(ctx, path, dir, defaultExtractLimits); err != nil {
			return o, fmt.Errorf("%s: %w", path, err)
		}
	}
	if err := o.find(dir); err != nil {
		return o, err
	}
	if len(o.Incidents) == 0 {
		text := fmt.Sprintf("%s has no incident: neither %s, nor directories of incidents, nor %s", path, documentName, incidentsDir)
		if len(o.Problems) > 0 {
			text += "; " + o.Problems[0]
		}
		return o, errors.New(text)
	}
	return o, nil
}

// find looks for incidents in a directory, in those below it, and in the one that a storage has.
func (o *Opened) find(dir string) error {
	if _, err := os.Lstat(filepath.Join(dir, documentName)); err == nil {
		o.add(dir)
		return nil
	}
	if info, err := os.Stat(filepath.Join(dir, incidentsDir)); err == nil && info.IsDir() {
		dir = filepath.Join(dir, incidentsDir)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var found []string
	for _, e := range entries {
		if _, err := os.Lstat(filepath.Join(dir, e.Name(), documentName)); err == nil && e.IsDir() {
			found = append(found, e.Name())
		}
	}
	if over := len(found) - maxOpened; over > 0 {
		slices.Sort(found)
		found = found[over:]
		o.Problems = append(o.Problems, fmt.Sprintf("%s: only the newest %d incidents are shown", dir, maxOpened))
	}
	for _, name := range found {
		o.add(filepath.Join(dir, name))
	}
	slices.SortFunc(o.Incidents, func(a, b *Dir) int { return cmp.Compare(a.incident.ID, b.incident.ID) })
	o.Incidents = slices.CompactFunc(o.Incidents, func(a, b *Dir) bool { return a.incident.ID == b.incident.ID })
	return nil
}

func (o *Opened) add(dir string) {
	d, err := OpenDir(dir)
	if err != nil {
		o.Problems = append(o.Problems, err.Error())
		return
	}
	o.Incidents = append(o.Incidents, d)
}

// Get returns the incident of an id.
func (o *Opened) Get(id string) (*Dir, bool) {
	at, ok := slices.BinarySearchFunc(o.Incidents, id, func(d *Dir, id string) int { return cmp.Compare(d.incident.ID, id) })
	if !ok {
		return nil, false
	}
	return o.Incidents[at], true
}

// maxConverted bounds the segments of journals that are made blocks for queries, in bytes: about ten seconds.
const maxConverted = 32 << 20

// Blocks returns the directories with the samples of all nodes, those of the newest incidents first. Those of an agent are made of its
// journal's segments, into temporary ones: of more than maxConverted those of the newest incidents. What is wrong is added to Problems.
func (o *Opened) Blocks(ctx context.Context) (dirs []string, err error) {
	left, without := int64(maxConverted), 0
	for _, d := range slices.Backward(o.Incidents) {
		for n := range d.incident.Nodes {
			if err := ctx.Err(); err != nil {
				return nil, context.Cause(ctx)
			}
			node := &d.incident.Nodes[n]
			if costs := d.toConvert(node); costs > 0 {
				if left <= 0 {
					without++
					continue
				}
				left -= costs
			}
			temp, err := os.MkdirTemp(o.temp, "node-*")
			if err != nil {
				return nil, err
			}
			dir, err := nodeBlocks(ctx, d, node, temp)
			if err != nil && ctx.Err() == nil {
				o.Problems = append(o.Problems, fmt.Sprintf("incident %s, node %s: %v", d.incident.ID, node.NodeID, err))
			}
			if names, _ := blocks.Find(dir); len(names) > 0 {
				dirs = append(dirs, dir)
			}
		}
	}
	if without > 0 {
		o.Problems = append(o.Problems, fmt.Sprintf("queries do not see the metrics of %s of older incidents: open the directory of one incident to query it", plural(without, "node")))
	}
	return dirs, nil
}

// toConvert returns the size of a node's segment, 0 if its samples are in blocks.
func (d *Dir) toConvert(n *messages.IncidentNode) int64 {
	if names, err := blocks.Find(d.local(n.Dir + "/" + blockDir)); err == nil && len(names) > 0 {
		return 0
	}
	for _, f := range n.Files {
		if f.What == messages.EvidenceWindow {
			return f.Bytes
		}
	}
	return 0
}

// Readme returns the begin of what a bundle says of itself, or makes one of an incident without.
func (d *Dir) Readme(ctx context.Context) string {
	if f, err := openInside(d.path, readmeName); err == nil {
		defer f.Close()
		if b, err := io.ReadAll(io.LimitReader(f, maxReadme)); err == nil {
			return string(b)
		}
	}
	r, err := Changes(ctx, d)
	if err != nil {
		return ""
	}
	return readme(d.incident, &r)
}

// Close removes what was unpacked.
func (o *Opened) Close() error { return os.RemoveAll(o.temp) }

var _ Source = (*Dir)(nil)
