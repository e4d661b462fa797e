package proxy

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"fodc/actors"
	"fodc/messages"
	"fodc/recorder/evidence"
)

// EvidenceConfig says how the evidence of incidents is kept, in the store of those.
type EvidenceConfig struct {
	// Blocks makes blocks of samples.
	Blocks BlocksOf
	// KeepLast keeps the last minutes of all nodes; nil: they are not kept.
	KeepLast *KeepLastConfig
}

// startEvidence spawns the actor that fetches evidence. It begins when it has a store, and ready was called.
func (p *Proxy) startEvidence(cfg *EvidenceConfig) (ready func()) {
	if cfg == nil {
		return func() {}
	}
	f := newEvidenceFetcher(nil, cfg.Blocks)
	f.collect, f.download = p.Collect, p.downloadEvidence
	if cfg.KeepLast != nil {
		f.kept = cfg.KeepLast.openKept
	}
	p.evidence = p.sys.Spawn("evidence", actors.ResumeOnFailure(), func() actors.Actor { return newEvidenceActor(p.sys, f) })
	return func() { close(f.ready) }
}

// openedEvidence has evidence fetched into the store. It returns the actor that does it; nil if there is none.
func (p *Proxy) openedEvidence(s *evidence.Store) *actors.PID {
	p.evidenceStore.Store(s)
	if p.evidence == nil {
		return nil
	}
	p.sys.Send(p.evidence, useStore{s})
	return p.evidence
}

// startKeepLast spawns the actor that keeps the last minutes of nodes, if it is wanted.
func (p *Proxy) startKeepLast(cfg *EvidenceConfig) {
	if cfg == nil || cfg.KeepLast == nil {
		return
	}
	p.keepLast = p.sys.Spawn("keeplast", actors.ResumeOnFailure(), func() actors.Actor { return newKeepLast(p.sys, cfg.KeepLast, p.registry, p.Collect) })
}

func (p *Proxy) downloadEvidence(ctx context.Context, d evidenceDownload, write func([]byte) error) error {
	return p.Download(ctx, messages.Download{NodeID: d.nodeID, Question: d.question, Offset: d.offset, Size: d.size},
		func(c *messages.ProfileChunk) error { return write(c.Data) })
}

// passEvidence reads a file of a node's incident from its agent, as it comes: nothing is kept. Whoever has it closes
// it. At its end a file that is not what the agent has announced is an error. That of passEvidence is as that
// of Download, if the agent has no such file.
func (p *Proxy) passEvidence(ctx context.Context, n *messages.IncidentNode, path string) (io.ReadCloser, int64, error) {
	for _, file := range n.Files {
		if file.Path == path {
			return passFile(ctx, evidenceDownload{nodeID: n.NodeID, question: messages.EvidenceQuestion{IncidentID: n.IncidentID, Path: path}, size: file.Bytes},
				file, p.downloadEvidence)
		}
	}
	return nil, 0, messages.Errorf(messages.ErrNotFound, "the node %s has no file %s", quote(n.NodeID), quote(path))
}

func passFile(ctx context.Context, d evidenceDownload, want messages.EvidenceFile,
	download func(context.Context, evidenceDownload, func([]byte) error) error) (io.ReadCloser, int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		sum, size := sha256.New(), int64(0)
		err := guarded(func() error {
			return download(ctx, d, func(b []byte) error {
				sum.Write(b)
				size += int64(len(b))
				_, err := w.Write(b)
				return err
			})
		})
		if err == nil && (size != want.Bytes || !strings.EqualFold(hex.EncodeToString(sum.Sum(nil)), want.SHA256)) {
			err = messages.Errorf(messages.ErrUnavailable, "the agent has sent other bytes of %s than those it has announced", quote(want.Path))
		}
		w.CloseWithError(err)
	}()
	f := &passedFile{Reader: bufio.NewReaderSize(r, passAhead), pipe: r, cancel: cancel, done: done}
	// What is wrong from the start is known before anybody has begun to read.
	if _, err := f.Peek(1); err != nil && !errors.Is(err, io.EOF) {
		_ = f.Close()
		return nil, 0, fmt.Errorf("fetch evidence: %w", err)
	}
	return f, want.Bytes, nil
}

// passAhead is how much of a file is read ahead, in bytes.
const passAhead = 64 << 10

// passedFile is a file that is read from its agent.
type passedFile struct {
	*bufio.Reader
	pipe   *io.PipeReader
	cancel context.CancelFunc
	done   chan struct{}
}

// Close ends the download.
func (f *passedFile) Close() error {
	f.cancel()
	err := f.pipe.Close()
	<-f.done
	return err
}
