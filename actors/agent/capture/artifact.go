package capture

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"fodc/actors/agent/crash"
)

const (
	// headOfGzip is how much of a gzipped file is unzipped to see what it is.
	headOfGzip = 32 << 10
	// maxUnzippedText bounds a gzipped text of an artifact, unzipped: all of it is masked.
	maxUnzippedText = 64 << 20
)

// copyArtifact copies a file: a text without its secrets, gzipped or not, and a profile as it is. Others could have any
// secret in them, such as the memory of the process.
func copyArtifact(w io.Writer, from io.Reader, f crash.File) error {
	r := bufio.NewReaderSize(from, headOfGzip)
	head, err := r.Peek(headOfGzip)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	what, first := "text nor gzipped", unzippedHead(head)
	switch {
	case !isGzip(head):
		if isText(head[:min(len(head), headBytes)]) {
			return copyText(w, r)
		}
	case isPlainText(first):
		return copyGzipped(w, r)
	case len(first) > 0 && beginsProfile(first[0]):
		_, err = io.Copy(w, r)
		return err
	default:
		what = "a gzipped text nor a gzipped profile"
	}
	return fmt.Errorf("%s/%s is neither %s: it could have secrets in it", f.Artifact, f.Name, what)
}

// unzippedHead returns the first bytes of what is gzipped; none if it is not.
func unzippedHead(head []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(head))
	if err != nil {
		return nil
	}
	first := make([]byte, headBytes)
	n, _ := io.ReadFull(z, first) // A file that is shorter, or damaged behind, is one, too.
	return first[:n]
}

// isPlainText reports whether the first bytes are those of a text. A profile has numbers among them, which are control characters.
func isPlainText(head []byte) bool {
	for _, c := range head {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != 0x1b {
			return false
		}
	}
	return len(head) > 0
}

// copyGzipped copies a gzipped text, without its secrets, as a gzipped one.
func copyGzipped(w io.Writer, from io.Reader) error {
	unzipped, err := gzip.NewReader(from)
	if err != nil {
		return err
	}
	text := &io.LimitedReader{R: unzipped, N: maxUnzippedText + 1}
	zipped := gzip.NewWriter(w)
	if err := errors.Join(copyText(zipped, text), zipped.Close()); err != nil {
		return err
	}
	if text.N <= 0 {
		return fmt.Errorf("the text has more than %d bytes when it is unzipped", maxUnzippedText)
	}
	return nil
}
