package bundle

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"slices"
	"strings"

	"fodc/messages"
)

const (
	// liteLog is how much a small bundle has of a log at most, in bytes: its end. leastLog is as little as there is a use in.
	liteLog  = 256 << 10
	leastLog = 8 << 10
)

// liteLogs takes the ends of the logs, those of nodes on which a rule has fired first, of these the small ones first.
func (b *writer) liteLogs(p *litePlan, temp string) error {
	type log struct {
		file *messages.EvidenceFile
		rank int
	}
	var logs []log
	for n := range p.incident.Nodes {
		node, rank := &p.incident.Nodes[n], 0
		if node.Kind == messages.IncidentContext {
			rank = 1
		}
		for f := range node.Files {
			if file := &node.Files[f]; file.What == messages.EvidenceKernelLog || file.What == messages.EvidenceNodeLog {
				logs = append(logs, log{file, rank})
			}
		}
	}
	slices.SortStableFunc(logs, func(a, b log) int { return cmp.Or(a.rank-b.rank, cmp.Compare(a.file.Bytes, b.file.Bytes)) })
	for _, l := range logs {
		most := min(liteLog, p.left-entryBytes)
		if l.file.Bytes <= most {
			p.take(l.file.Path, l.file.Bytes)
			continue
		}
		if most < leastLog {
			continue
		}
		if err := b.liteLog(p, l.file, most, temp); err != nil {
			return err
		}
	}
	return nil
}

// liteLog takes the end of a log, which becomes another file. One that cannot be read is missing.
func (b *writer) liteLog(p *litePlan, f *messages.EvidenceFile, most int64, temp string) error {
	end, err := b.endOf(f, most)
	if b.ctx.Err() != nil {
		return context.Cause(b.ctx)
	}
	if err != nil {
		b.miss(f.Path, err)
		return nil
	}
	out, err := os.CreateTemp(temp, "log-*")
	if err != nil {
		return err
	}
	_, err = out.Write(end)
	if err = errors.Join(err, out.Close()); err != nil {
		return err
	}
	sum := sha256.Sum256(end)
	f.Bytes, f.SHA256, f.Truncated = int64(len(end)), hex.EncodeToString(sum[:]), true
	p.made[f.Path] = out.Name()
	p.take(f.Path, f.Bytes)
	return nil
}

// endOf returns the end of a file, from the beginning of a line on, if the file is what the document says. It holds no more than
// twice that in memory.
func (b *writer) endOf(f *messages.EvidenceFile, most int64) ([]byte, error) {
	in, _, err := b.src.Open(f.Path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	end := tail{most: int(most) + 1} // With the byte before, which tells whether a line begins there.
	out := &summed{w: &end, sum: sha256.New()}
	if _, err := io.Copy(out, io.LimitReader(contextReader{b.ctx, in}, f.Bytes+1)); err != nil {
		return nil, err
	}
	if err := check(f, out.bytes, hex.EncodeToString(out.sum.Sum(nil))); err != nil {
		return nil, err
	}
	last := end.bytes()
	if at := bytes.IndexByte(last, '\n'); at >= 0 && at < len(last)-1 {
		return last[at+1:], nil
	}
	return []byte(strings.ToValidUTF8(string(last[1:]), "")), nil // One long line.
}

// tail keeps the end of what is written.
type tail struct {
	most int
	kept []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if len(t.kept) > 2*t.most {
		t.kept = append(t.kept[:0], t.bytes()...)
	}
	return len(p), nil
}

func (t *tail) bytes() []byte { return t.kept[max(0, len(t.kept)-t.most):] }
