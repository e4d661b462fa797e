package bundle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"fodc/messages"
	"fodc/recorder/blocks"
	"fodc/recorder/journal"
)

// blockDir is the directory of the blocks in that of a node.
const blockDir = "block"

// errNoMetrics is the error of a node without samples.
var errNoMetrics = errors.New("there are no metrics of it")

// maxBlocks bounds the blocks of a node: those of a day and more, one in two hours.
const maxBlocks = 64

// nodeBlocks returns the directory with a node's blocks. Unless the source has them in one, they are copied into temp, or made there
// of the journal's segment. Blocks of which a file cannot be read are left out, and named in the error, which may come beside a directory.
func nodeBlocks(ctx context.Context, src Source, n *messages.IncidentNode, temp string) (dir string, err error) {
	if dir, ok := localBlocks(src, n); ok {
		return dir, nil
	}
	byBlock, window := map[string][]*messages.EvidenceFile{}, (*messages.EvidenceFile)(nil)
	var order []string
	for i := range n.Files {
		switch f := &n.Files[i]; f.What {
		case messages.EvidenceMetrics:
			name, ok := blockOf(n, f.Path)
			if !ok {
				continue
			}
			if byBlock[name] == nil {
				order = append(order, name)
			}
			byBlock[name] = append(byBlock[name], f)
		case messages.EvidenceWindow:
			window = f
		}
	}
	dir = filepath.Join(temp, blockDir)
	if len(order) == 0 && window == nil {
		return "", errNoMetrics
	}
	if len(order) == 0 {
		return dir, convert(ctx, src, n, window, dir)
	}
	for _, name := range order[:min(len(order), maxBlocks)] {
		if e := copyBlock(ctx, src, byBlock[name], filepath.Join(dir, name), n.Dir+"/"+blockDir+"/"+name); e != nil {
			err = errors.Join(err, fmt.Errorf("block %s: %w", name, e), os.RemoveAll(filepath.Join(dir, name)))
		}
	}
	return dir, err
}

// localBlocks returns the directory in which the source has a node's blocks.
func localBlocks(src Source, n *messages.IncidentNode) (dir string, ok bool) {
	l, ok := src.(localSource)
	if !ok {
		return "", false
	}
	dir = l.local(n.Dir + "/" + blockDir)
	names, err := blocks.Find(dir)
	return dir, err == nil && len(names) > 0
}

// windowOf returns the segment of a node that has no blocks; nil: there is none.
func windowOf(src Source, n *messages.IncidentNode) (window *messages.EvidenceFile) {
	if _, ok := localBlocks(src, n); ok {
		return nil
	}
	for i := range n.Files {
		switch f := &n.Files[i]; f.What {
		case messages.EvidenceMetrics:
			return nil
		case messages.EvidenceWindow:
			window = f
		}
	}
	return window
}

// blockOf returns the name of the block that a file is of.
func blockOf(n *messages.IncidentNode, file string) (string, bool) {
	rest, ok := strings.CutPrefix(file, n.Dir+"/"+blockDir+"/")
	name, _, isIn := strings.Cut(rest, "/")
	return name, ok && isIn
}

func copyBlock(ctx context.Context, src Source, files []*messages.EvidenceFile, dir, prefix string) error {
	for _, f := range files {
		to := filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(f.Path, prefix)))
		if err := copyFile(ctx, src, f, to); err != nil {
			return fmt.Errorf("%s: %w", path.Base(f.Path), err)
		}
	}
	return nil
}

// copyFile copies a file of the evidence, and verifies it.
func copyFile(ctx context.Context, src Source, f *messages.EvidenceFile, to string) (err error) {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	in, _, err := src.Open(f.Path)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, sum), io.LimitReader(contextReader{ctx, in}, f.Bytes+1))
	if err != nil {
		return err
	}
	return check(f, n, hex.EncodeToString(sum.Sum(nil)))
}

// check compares what was read of a file with what the document says.
func check(f *messages.EvidenceFile, bytes int64, sum string) error {
	switch {
	case bytes > f.Bytes:
		return errTooLong
	case bytes < f.Bytes:
		return fmt.Errorf("it has %d bytes, not %d", bytes, f.Bytes)
	case f.SHA256 != "" && !strings.EqualFold(f.SHA256, sum):
		return fmt.Errorf("its SHA-256 is %s, not %.64s", sum, f.SHA256)
	}
	return nil
}

// convert makes blocks of the segment of a journal.
func convert(ctx context.Context, src Source, n *messages.IncidentNode, f *messages.EvidenceFile, dir string) (err error) {
	in, size, err := src.Open(f.Path)
	if err != nil {
		return err
	}
	defer in.Close()
	at, ok := in.(io.ReaderAt)
	if !ok {
		copied := dir + ".journal"
		if err := copyFile(ctx, src, f, copied); err != nil {
			return err
		}
		local, err := os.Open(copied)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, local.Close(), os.Remove(copied)) }()
		at, size = local, f.Bytes
	}
	view, files, err := journal.OpenSegment(at, size)
	if err != nil {
		return err
	}
	counts, err := blocks.FromJournal(ctx, view, files, journalOptions(n), dir)
	return convertedOf(f, counts, err)
}

func journalOptions(n *messages.IncidentNode) blocks.JournalOptions {
	return blocks.JournalOptions{Identity: identityOf(n), ClockOffset: -offsetOf(n)}
}

// convertedOf returns what was wrong with the segment of a journal.
func convertedOf(f *messages.EvidenceFile, counts blocks.JournalCounts, err error) error {
	switch {
	case err != nil:
		return err
	case counts.Samples == 0:
		return errNoMetrics
	case len(counts.Damage) > 0:
		return fmt.Errorf("%s is damaged: %v", f.Path, counts.Damage[0].Damage)
	}
	return nil
}

// identityOf returns what the labels of a node's series are made of.
func identityOf(n *messages.IncidentNode) messages.Identity {
	i := messages.Identity{NodeID: n.NodeID, Role: n.Role, PodName: n.PodName, Labels: n.Labels}
	if i.PodName == "" {
		i.PodName, i.PodNameIsNodeID = n.NodeID, true
	}
	return i
}

func offsetOf(n *messages.IncidentNode) time.Duration {
	return time.Duration(n.ClockOffsetSeconds * float64(time.Second))
}
