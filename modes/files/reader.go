package files

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
)

// maxFileBytes bounds a file. A bundle of all public certificate authorities has 200 KiB.
const maxFileBytes = 4 << 20

// digest is that of a file's contents. It is zero for a file that could not be read.
type digest [sha256.Size]byte

// Reader reads the files that a value is made of.
type Reader struct{ digests map[string]digest }

func newReader() *Reader { return &Reader{map[string]digest{}} }

// Read returns what is in a file of at most 4 MiB. The error names the file.
func (r *Reader) Read(path string) ([]byte, error) {
	content, err := readFile(path)
	if err != nil {
		r.digests[path] = digest{}
		return nil, err
	}
	r.digests[path] = sha256.Sum256(content)
	return content, nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, readError(path, err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	switch {
	case err != nil:
		return nil, readError(path, err)
	case len(content) > maxFileBytes:
		return nil, fmt.Errorf("%q has more than %d bytes", path, maxFileBytes)
	}
	return content, nil
}

// readError says the path once.
func readError(path string, err error) error {
	if of := (*fs.PathError)(nil); errors.As(err, &of) {
		err = of.Err
	}
	return fmt.Errorf("read %q: %w", path, err)
}

// again returns the digests that the files have now.
func (r *Reader) again() map[string]digest {
	now := newReader()
	for path := range r.digests {
		_, _ = now.Read(path)
	}
	return now.digests
}

// unchanged reports whether the files have what was read.
func (r *Reader) unchanged() bool { return maps.Equal(r.digests, r.again()) }
