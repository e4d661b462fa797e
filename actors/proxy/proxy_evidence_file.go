package proxy

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"

	"fodc/messages"
	"fodc/recorder/evidence"
)

// EvidenceFile is an open file of the evidence of an incident. It is for one goroutine.
type EvidenceFile interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// OpenEvidence opens a file that the document of an incident names. Without a store it is read from the agent,
// while ctx lasts: then reading from one place to the next is cheap, and anything else begins a new
// download. The error is of the kind not found if there is no such file.
func (p *Proxy) OpenEvidence(ctx context.Context, id, path string) (EvidenceFile, error) {
	doc, err := p.Incident(ctx, id)
	if err != nil {
		return nil, err
	}
	for i := range doc.Nodes {
		n := &doc.Nodes[i]
		at := slices.IndexFunc(n.Files, func(f messages.EvidenceFile) bool { return f.Path == path })
		if at < 0 {
			continue
		}
		if store := p.evidenceStore.Load(); store != nil {
			return openStored(ctx, store, id, path)
		}
		f := &remoteFile{ctx: ctx, proxy: p, node: n, file: n.Files[at]}
		if err := f.seek(0); err != nil {
			return nil, err
		}
		return f, nil
	}
	return nil, messages.Errorf(messages.ErrNotFound, "incident %s has no file %s", quote(id), quote(path))
}

// openStored opens a file of the store in a goroutine: a disk may hang.
func openStored(ctx context.Context, store *evidence.Store, id, path string) (EvidenceFile, error) {
	type opened struct {
		file *evidence.File
		err  error
	}
	done, left := make(chan opened), make(chan struct{})
	defer close(left)
	go func() {
		f, err := store.OpenFile(id, path)
		select {
		case done <- opened{f, err}:
		case <-left:
			if err == nil {
				_ = f.Close()
			}
		}
	}()
	select {
	case o := <-done:
		switch {
		case errors.Is(o.err, fs.ErrNotExist): // The store has made room, or somebody has removed it, since the document was read.
			return nil, messages.Errorf(messages.ErrNotFound, "the file %s of incident %s is not there any more", quote(path), id)
		case o.err != nil:
			return nil, o.err // not a nil file in an interface
		}
		return o.file, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// remoteFile is a file that its agent has.
type remoteFile struct {
	ctx   context.Context
	proxy *Proxy
	node  *messages.IncidentNode
	file  messages.EvidenceFile
	at    int64
	open  io.ReadCloser
}

// Size is what the agent has announced.
func (f *remoteFile) Size() int64 { return f.file.Bytes }

// ReadAt reads on, or begins anew at another place.
func (f *remoteFile) ReadAt(b []byte, at int64) (n int, err error) {
	if at >= f.file.Bytes {
		return 0, io.EOF
	}
	if f.open == nil || at != f.at {
		if err := f.seek(at); err != nil {
			return 0, err
		}
	}
	want := b[:min(int64(len(b)), f.file.Bytes-at)]
	n, err = io.ReadFull(f.open, want)
	f.at += int64(n)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return n, messages.Errorf(messages.ErrUnavailable, "the file is cut short after %d of %d bytes", at+int64(n), f.file.Bytes)
	case err != nil:
		return n, err
	case f.at == f.file.Bytes:
		// The end says whether the bytes were those that the agent has announced.
		if _, err := f.open.Read(make([]byte, 1)); err != nil && !errors.Is(err, io.EOF) {
			return n, err
		}
	}
	if len(want) < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// seek begins a download. The sum is checked of a whole one.
func (f *remoteFile) seek(at int64) (err error) {
	_ = f.Close()
	f.at = at
	if at == 0 {
		f.open, _, err = f.proxy.passEvidence(f.ctx, f.node, f.file.Path)
		return err
	}
	ctx, cancel := context.WithCancel(f.ctx)
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.CloseWithError(guarded(func() error {
			return f.proxy.downloadEvidence(ctx, evidenceDownload{nodeID: f.node.NodeID, question: messages.EvidenceQuestion{IncidentID: f.node.IncidentID, Path: f.file.Path},
				offset: at, size: f.file.Bytes}, func(b []byte) error {
				_, err := w.Write(b)
				return err
			})
		}))
	}()
	f.open = &remotePart{r, cancel, done}
	return nil
}

// Close ends the download.
func (f *remoteFile) Close() error {
	if f.open == nil {
		return nil
	}
	err := f.open.Close()
	f.open = nil
	return err
}

// remotePart is the rest of a file.
type remotePart struct {
	*io.PipeReader
	cancel context.CancelFunc
	done   chan struct{}
}

// Close ends the download.
func (p *remotePart) Close() error {
	p.cancel()
	err := p.PipeReader.Close()
	<-p.done
	return err
}
