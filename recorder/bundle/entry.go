package bundle

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"

	"fodc/messages"
)

// maxBuffered is the size up to which a file is read and verified before it is written, so that one that cannot be read is left out. A
// larger one has a place in the bundle by then: what cannot be read of it is zeros.
const maxBuffered = 4 << 20

// miss notes that a file could not be read.
func (b *writer) miss(path string, err error) {
	b.missing = append(b.missing, missingFile{path, err.Error()})
}

func (b *writer) header(path string, size int64) error {
	return b.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: b.root + "/" + path, Size: size, Mode: 0o644, ModTime: b.at})
}

func (b *writer) addSum(path, sum string) { fmt.Fprintf(&b.sums, "%s  %s\n", sum, path) }

// text writes a file that is in memory.
func (b *writer) text(path string, content []byte) error {
	if err := b.header(path, int64(len(content))); err != nil {
		return err
	}
	if path != sumsName {
		sum := sha256.Sum256(content)
		b.addSum(path, hex.EncodeToString(sum[:]))
	}
	_, err := b.tar.Write(content)
	return err
}

// evidence writes a file of the evidence, if it is what the document says.
func (b *writer) evidence(src Source, f *messages.EvidenceFile) error {
	if err := b.ctx.Err(); err != nil {
		return context.Cause(b.ctx)
	}
	in, _, err := src.Open(f.Path)
	if err != nil {
		b.miss(f.Path, err)
		return nil
	}
	defer in.Close()
	from := io.LimitReader(contextReader{b.ctx, in}, f.Bytes+1)
	if f.Bytes > maxBuffered {
		return b.large(f, from)
	}
	content, err := io.ReadAll(from)
	if b.ctx.Err() != nil {
		return context.Cause(b.ctx)
	}
	sum := sha256.Sum256(content)
	if err == nil {
		err = check(f, int64(len(content)), hex.EncodeToString(sum[:]))
	}
	if err != nil {
		b.miss(f.Path, err)
		return nil
	}
	return b.text(f.Path, content)
}

// large writes a file that does not fit into memory. If it is not what the document says, it is in the bundle all the same, and its
// line in the sums says so, too.
func (b *writer) large(f *messages.EvidenceFile, from io.Reader) error {
	if err := b.header(f.Path, f.Bytes); err != nil {
		return err
	}
	out := &summed{w: b.tar, sum: sha256.New()}
	_, err := io.Copy(out, io.LimitReader(from, f.Bytes))
	switch {
	case out.err != nil:
		return out.err
	case b.ctx.Err() != nil:
		return context.Cause(b.ctx)
	}
	sum := hex.EncodeToString(out.sum.Sum(nil))
	if err == nil {
		more, _ := from.Read(make([]byte, 1))
		err = check(f, out.bytes+int64(more), sum)
	}
	if _, pad := io.CopyN(b.tar, zeros{}, f.Bytes-out.bytes); pad != nil {
		return pad
	}
	if err != nil {
		b.miss(f.Path, fmt.Errorf("%w (what is there was kept, with zeros for what could not be read)", err))
		if f.SHA256 == "" {
			return nil
		}
		sum = f.SHA256
	}
	b.addSum(f.Path, sum)
	return nil
}

// summed is a writer with the sum of what was written.
type summed struct {
	w     io.Writer
	sum   hash.Hash
	bytes int64
	// err is that of the writer.
	err error
}

func (s *summed) Write(p []byte) (n int, err error) {
	n, s.err = s.w.Write(p)
	s.bytes += int64(n)
	_, _ = s.sum.Write(p[:n])
	return n, s.err
}

// zeros is as many of them as are read.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// local writes a file that was made here.
func (b *writer) local(path, file string) (err error) {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := b.header(path, info.Size()); err != nil {
		return err
	}
	out := &summed{w: b.tar, sum: sha256.New()}
	if _, err := io.CopyN(out, contextReader{b.ctx, f}, info.Size()); err != nil {
		return err
	}
	b.addSum(path, hex.EncodeToString(out.sum.Sum(nil)))
	return nil
}

// sumOf returns size and sum of a file that was made here.
func sumOf(file string) (size int64, sum string, err error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, "", err
	}
	defer f.Close()
	h := sha256.New()
	size, err = io.Copy(h, f)
	return size, hex.EncodeToString(h.Sum(nil)), err
}
