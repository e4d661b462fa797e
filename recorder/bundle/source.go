package bundle

import (
	"context"
	"errors"
	"io"
	"os"

	"fodc/messages"
)

// Source is an incident with its evidence.
type Source interface {
	// Incident returns the document. It is not changed.
	Incident() *messages.Incident
	// Open opens a file of the evidence, by its path in the document, and returns its size. What it returns
	// may be an io.ReaderAt, too, which saves a copy of a journal's segment.
	Open(path string) (io.ReadCloser, int64, error)
}

// localSource is a Source whose files are in a directory, so that blocks need not be copied.
type localSource interface {
	// local returns where a file or directory of the evidence is.
	local(path string) string
}

// tempSource is a Source that says where temporary files may be. Others have them in the system's directory.
type tempSource interface{ TempDir() string }

// tempDir makes a directory for what is needed for a while.
func tempDir(src Source) (string, error) {
	parent := ""
	if t, ok := src.(tempSource); ok {
		parent = t.TempDir()
	}
	return os.MkdirTemp(parent, "fodc-bundle-*")
}

// contextReader ends with its context.
type contextReader struct {
	ctx context.Context
	of  io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.of.Read(p)
}

// errTooLong is the error of a file that has more bytes than the document says.
var errTooLong = errors.New("it has more bytes than it should")
