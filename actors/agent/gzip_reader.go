package agent

import (
	"compress/gzip"
	"io"
	"sync"
)

// gzipReaders reads pages that are compressed with gzip. It reuses its readers.
type gzipReaders struct{ pool sync.Pool }

func newGzipReaders() *gzipReaders { return &gzipReaders{} }

// readPage reads all of a page into buf, or into a larger buffer. More bytes than the limit,
// compressed or not, are an error.
func (g *gzipReaders) readPage(compressed io.Reader, buf []byte, limit bodyLimit) ([]byte, error) {
	z, _ := g.pool.Get().(*gzip.Reader)
	if z == nil {
		z = &gzip.Reader{}
	}
	defer g.pool.Put(z)
	in := &limitedReader{r: compressed, left: limit.bytes}
	err := z.Reset(in)
	if err == nil {
		var page []byte
		if page, err = readPage(z, buf, -1, limit); err == nil {
			return page, nil
		}
	}
	switch {
	case in.exceeded:
		return nil, failuref(failedBodyLimit, "a compressed page of more than %d bytes, at most %d are allowed (%s)", limit.bytes, limit.bytes, limit.setting)
	case in.err != nil:
		return nil, readError(int(limit.bytes-in.left), in.err)
	case kindOf(err) == failedBodyLimit:
		return nil, err
	default:
		return nil, failuref(failedEncoding, "the page is not valid gzip: %w", withoutKind(err))
	}
}

// limitedReader reads at most left bytes. It keeps the error of r, for which the gzip reader
// returns another one.
type limitedReader struct {
	r        io.Reader
	left     int64
	exceeded bool
	err      error
}

func (l *limitedReader) Read(b []byte) (int, error) {
	if l.left <= 0 {
		l.exceeded = true
		return 0, io.ErrUnexpectedEOF
	}
	n, err := l.r.Read(b[:min(int64(len(b)), l.left)])
	l.left -= int64(n)
	if err != nil && err != io.EOF {
		l.err = err
	}
	return n, err
}
