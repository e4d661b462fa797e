package capture

import (
	"errors"
	"fmt"
	"io"
)

// body is the body of an answer, which is written while it is read. Its first error stays,
// whatever the reader makes of it.
type body struct {
	from        io.Reader
	to          io.Writer
	head        []byte // read, and not written yet
	left, limit int64
	written     int64
	fromErr     error // of from: what comes after head
	err         error
}

func newBody(from io.Reader, to io.Writer, limit int64) *body {
	return &body{from: from, to: to, left: limit, limit: limit}
}

// readHead reads the first bytes, and writes none.
func (b *body) readHead() []byte {
	head := make([]byte, headBytes)
	n := 0
	for n < len(head) && b.fromErr == nil {
		var m int
		m, b.fromErr = b.from.Read(head[n:])
		n += m
	}
	b.head = head[:n]
	return b.head
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.next(p)
	if int64(n) > b.left {
		b.err = tooLarge(fmt.Sprintf("more than %d", b.limit), b.limit)
		return 0, b.err
	}
	b.left -= int64(n)
	if n > 0 {
		m, writeErr := b.to.Write(p[:n])
		b.written += int64(m)
		if writeErr != nil {
			n, err = m, writeErr
		}
	}
	b.err = err
	return n, err
}

func (b *body) next(p []byte) (int, error) {
	if len(b.head) > 0 {
		n := copy(p, b.head)
		b.head = b.head[n:]
		return n, nil
	}
	if b.fromErr != nil {
		return 0, b.fromErr
	}
	return b.from.Read(p)
}

// isWhole reports whether the body was read to its end.
func (b *body) isWhole() bool { return errors.Is(b.err, io.EOF) }

// failure is why the body could not be read or written; nil if nothing failed so far.
func (b *body) failure() error {
	if b.isWhole() {
		return nil
	}
	return b.err
}

func tooLarge(size string, limit int64) error {
	return fmt.Errorf("the answer has %s bytes, at most %d are allowed", size, limit)
}
