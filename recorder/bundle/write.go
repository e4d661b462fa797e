package bundle

import (
	"archive/tar"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fodc/messages"
	"fodc/recorder/changes"

	"github.com/klauspost/compress/gzip"
)

// The files of a bundle beside the evidence.
const (
	readmeName  = "README.md"
	changesName = "changes.json"
	missingName = "MISSING.md"
	sumsName    = "SHA256SUMS"
	rootPrefix  = "fodc-incident-"
)

// Options says what is in a bundle.
type Options struct {
	// Nodes are node ids; none = all.
	Nodes []string
	// Lite leaves out profiles, and the metrics that have not changed: at most liteBytes.
	Lite bool
}

// Root is the directory that a bundle's files are in.
func Root(id string) string { return rootPrefix + id }

// selected is a Source with another document.
type selected struct {
	Source
	incident *messages.Incident
}

func (s selected) Incident() *messages.Incident { return s.incident }

func (s selected) TempDir() string {
	if t, ok := s.Source.(tempSource); ok {
		return t.TempDir()
	}
	return ""
}

func (s selected) local(path string) string {
	if l, ok := s.Source.(localSource); ok {
		return l.local(path)
	}
	return ""
}

// selectNodes returns the source with some of its nodes.
func selectNodes(src Source, nodes []string) (Source, error) {
	i := src.Incident().Clone()
	if len(nodes) > 0 {
		i.Nodes = slices.DeleteFunc(i.Nodes, func(n messages.IncidentNode) bool { return !slices.Contains(nodes, n.NodeID) })
		if len(i.Nodes) == 0 {
			return nil, fmt.Errorf("none of the nodes %.200q is in incident %s", nodes, i.ID)
		}
	}
	for n := range i.Nodes {
		slices.SortFunc(i.Nodes[n].Files, func(a, b messages.EvidenceFile) int { return cmp.Compare(a.Path, b.Path) })
	}
	return selected{src, &i}, nil
}

// Write writes a bundle. Its error is that of the writer or of the context, or of a disk that takes no temporary files; what is
// wrong with a file of the evidence is said in the bundle.
func Write(ctx context.Context, w io.Writer, src Source, o Options) (err error) {
	if src, err = selectNodes(src, o.Nodes); err != nil {
		return err
	}
	report, err := Changes(ctx, src)
	if err != nil {
		return err
	}
	z, err := gzip.NewWriterLevel(w, gzip.DefaultCompression)
	if err != nil {
		return err
	}
	b := &writer{ctx: ctx, src: src, tar: tar.NewWriter(z), root: Root(src.Incident().ID), at: timeOf(src.Incident())}
	if o.Lite {
		err = b.writeLite(&report)
	} else {
		err = b.writeAll(&report)
	}
	if err == nil {
		err = b.end()
	}
	return errors.Join(err, b.tar.Close(), z.Close())
}

// timeOf is the time of all files of a bundle.
func timeOf(i *messages.Incident) time.Time {
	for _, t := range []time.Time{i.FrozenAt, i.OpenedAt, i.FirstOccurrence} {
		if !t.IsZero() {
			return t.UTC().Truncate(time.Second)
		}
	}
	return time.Unix(0, 0).UTC()
}

// writer is a bundle under way.
type writer struct {
	ctx  context.Context
	src  Source
	tar  *tar.Writer
	root string
	at   time.Time
	sums strings.Builder
	// missing is what could not be read.
	missing []missingFile
}

type missingFile struct{ path, reason string }

// document encodes a report as JSON.
func documentOf(r *changes.Report) ([]byte, error) {
	b, err := json.MarshalIndent(r, "", " ")
	return append(b, '\n'), err
}

// writeAll writes everything that an incident has.
func (b *writer) writeAll(report *changes.Report) error {
	i := b.src.Incident()
	if err := b.documents(i, report); err != nil {
		return err
	}
	for n := range i.Nodes {
		node := &i.Nodes[n]
		for f := range node.Files {
			if err := b.evidence(b.src, &node.Files[f]); err != nil {
				return err
			}
		}
		if err := b.converted(node); err != nil {
			return err
		}
	}
	return nil
}

// documents writes what says what a bundle is of.
func (b *writer) documents(i *messages.Incident, report *changes.Report) error {
	document, err := messages.EncodeIncident(i)
	if err != nil {
		return err
	}
	what, err := documentOf(report)
	if err != nil {
		return err
	}
	return errors.Join(b.text(readmeName, []byte(readme(i, report))), b.text(documentName, document), b.text(changesName, what))
}

// converted writes the blocks of a node that has its samples as a segment of a journal.
func (b *writer) converted(n *messages.IncidentNode) (err error) {
	hasWindow := false
	for _, f := range n.Files {
		if f.What == messages.EvidenceMetrics {
			return b.blockDirectory(n)
		}
		hasWindow = hasWindow || f.What == messages.EvidenceWindow
	}
	if !hasWindow {
		return nil
	}
	temp, err := tempDir(b.src)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	dir, failed := nodeBlocks(b.ctx, b.src, n, temp)
	if err := b.ctx.Err(); err != nil {
		return context.Cause(b.ctx)
	}
	if failed != nil {
		b.miss(n.Dir+"/"+blockDir, failed)
	}
	files, err := filesBelow(dir)
	if err != nil || len(files) == 0 {
		return err
	}
	if err := b.blockDirectory(n); err != nil {
		return err
	}
	for _, name := range files {
		if err := b.local(n.Dir+"/"+blockDir+"/"+name, filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			return err
		}
	}
	return nil
}

// blockDirectory writes an empty directory for a write-ahead log: without one, promtool tsdb dump takes blocks for no
// database.
func (b *writer) blockDirectory(n *messages.IncidentNode) error {
	return b.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: b.root + "/" + n.Dir + "/" + blockDir + "/wal/", Mode: 0o755, ModTime: b.at})
}

// filesBelow returns the regular files below a directory, with slashes, in order; none if it does not exist.
func filesBelow(dir string) (names []string, err error) {
	if dir == "" {
		return nil, nil
	}
	err = filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		names = append(names, filepath.ToSlash(name))
		return err
	})
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	slices.Sort(names)
	return names, err
}

// end writes what is known when all is written.
func (b *writer) end() error {
	if len(b.missing) > 0 {
		if err := b.text(missingName, []byte(missingText(b.missing))); err != nil {
			return err
		}
	}
	return b.text(sumsName, []byte(b.sums.String()))
}
