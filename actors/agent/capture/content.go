package capture

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// Content is what an answer must be.
type Content struct {
	name string
	// begins reports whether the first bytes of a body may be those of the content. Nothing of a body
	// is written before. There are at most headBytes of them, and fewer only of a shorter body.
	begins func(head []byte) bool
	// check reads a body to its end.
	check func(body io.Reader) error
}

const (
	headBytes = 64
	// maxUnzippedBytes bounds what a profile may be unzipped: it is unzipped to check it.
	maxUnzippedBytes = 1 << 30
	// maxRatio bounds how many times its size a profile may be unzipped, beyond freeBytes: real ones have 3 to 15 times.
	maxRatio  = 100
	freeBytes = 16 << 20
	// copyBytes is how much of a body is read and written at a time, textBytes how much of a text, which may have megabytes.
	copyBytes = 32 << 10
	textBytes = 64 << 10
)

// PProf is a gzipped profile. It is unzipped to its end, so that one that was cut short or
// damaged is noticed, whoever cut it.
var PProf = Content{name: "gzipped profile", begins: isGzip, check: checkPProf}

// Text is text of any kind: it has no NUL bytes.
var Text = Content{name: "text", begins: isText, check: checkText}

func isGzip(head []byte) bool { return bytes.HasPrefix(head, []byte{0x1f, 0x8b}) }

func checkPProf(body io.Reader) error {
	zipped := &countedReader{r: body}
	z, err := gzip.NewReader(zipped)
	if err != nil {
		return fmt.Errorf("the profile is not valid gzip: %w", err)
	}
	unzipped := io.LimitedReader{R: z, N: maxUnzippedBytes + 1}
	first := make([]byte, 1)
	if _, err := io.ReadFull(&unzipped, first); err != nil {
		return fmt.Errorf("the profile is empty, or not valid gzip: %w", err)
	}
	if !beginsProfile(first[0]) {
		return errors.New("what is gzipped is no profile")
	}
	for n, err := int64(1), error(nil); err == nil; {
		var more int64
		more, err = io.CopyN(io.Discard, &unzipped, copyBytes)
		if n += more; n > freeBytes+maxRatio*zipped.n {
			return fmt.Errorf("the profile is unzipped to more than %d times its size", maxRatio)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("the profile is not valid gzip: %w", err)
		}
	}
	if unzipped.N <= 0 {
		return fmt.Errorf("the profile has more than %d bytes when it is unzipped", maxUnzippedBytes)
	}
	return nil
}

// countedReader counts what is read.
type countedReader struct {
	r io.Reader
	n int64
}

func (c *countedReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// beginsProfile reports whether a profile in protobuf may begin with the byte: the number and
// the kind of its first field. All fields of a profile are integers or have a length, and their
// numbers are 1 to 15. HTML and JSON begin with others.
func beginsProfile(tag byte) bool {
	number, kind := tag>>3, tag&7
	return 1 <= number && number <= 15 && (kind == 0 || kind == 2)
}

func isText(head []byte) bool { return bytes.IndexByte(head, 0) < 0 }

func checkText(body io.Reader) error {
	buf := make([]byte, textBytes)
	for {
		n, err := body.Read(buf)
		if !isText(buf[:n]) {
			return errors.New("a NUL byte is no text")
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
