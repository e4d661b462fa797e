package agent

import (
	"compress/gzip"
	"io"
	"sync"
)

// unzipper reads zipped pages. It keeps what that takes for the next one.
type unzipper struct{ readers sync.Pool }

func newUnzipper() *unzipper { return &unzipper{} }

// page reads all of a zipped page into the room, or a larger one, but no more than
// limit, neither zipped nor unzipped.
func (u *unzipper) page(zipped io.Reader, room []byte, limit int64) ([]byte, error) {
	z, _ := u.readers.Get().(*gzip.Reader)
	if z == nil {
		z = &gzip.Reader{}
	}
	defer u.readers.Put(z)
	in := &zippedReader{r: zipped, left: limit}
	err := z.Reset(in)
	if err == nil {
		var page []byte
		if page, err = readPage(z, room, -1, limit); err == nil {
			return page, nil
		}
	}
	switch {
	case in.over:
		return nil, failuref(failedBodyLimit, "a zipped page of more than %d bytes, at most %d are allowed (--max-page-bytes)", limit, limit)
	case in.failed != nil:
		return nil, readFailure(int(limit-in.left), in.failed)
	case kindOf(err) == failedBodyLimit:
		return nil, err
	default:
		return nil, failuref(failedEncoding, "the page is not what gzip makes: %w", unwrapFailure(err))
	}
}

// zippedReader reads no more than left bytes, and remembers why it failed: what the
// unzipper says of that is its own.
type zippedReader struct {
	r      io.Reader
	left   int64
	over   bool
	failed error
}

func (z *zippedReader) Read(b []byte) (int, error) {
	if z.left <= 0 {
		z.over = true
		return 0, io.ErrUnexpectedEOF
	}
	n, err := z.r.Read(b[:min(int64(len(b)), z.left)])
	z.left -= int64(n)
	if err != nil && err != io.EOF {
		z.failed = err
	}
	return n, err
}
