package bundle

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"fodc/messages"

	"github.com/klauspost/compress/gzip"
)

// What is unpacked was sent by somebody. So only regular files and directories are taken, below one directory, with names that files of
// an incident may have on every system: no path leads out of it, none is a device of Windows, and no two differ in the case of letters
// alone. Files are created, never replaced, below a directory that the system does not let them leave. Sizes are limited, so that a small file
// cannot fill the disk.

// extractLimits bound what is unpacked.
type extractLimits struct {
	// bytes of all files, and their number.
	bytes int64
	files int
	// ratio of bytes to those of the archive, from bytes of ratioFrom on: gzip reaches 1,000 for zeros, evidence not 100.
	ratio     int64
	ratioFrom int64
}

var defaultExtractLimits = extractLimits{bytes: 16 << 30, files: 200_000, ratio: 200, ratioFrom: 256 << 20}

var errNoBundle = errors.New("it is no bundle: a .tar.gz with the directory " + rootPrefix + "ID")

// extract unpacks a bundle into an empty directory.
func extract(ctx context.Context, file, dir string, limits extractLimits) (err error) {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	z, err := gzip.NewReader(contextReader{ctx, f})
	if err != nil {
		return fmt.Errorf("%w (%w)", errNoBundle, err)
	}
	defer z.Close()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	limits.bytes = min(limits.bytes, max(limits.ratioFrom, info.Size()*limits.ratio))
	x := &extraction{root: root, limits: limits, seen: map[string]string{}}
	for archive := tar.NewReader(z); ; {
		h, err := archive.Next()
		switch {
		case err == io.EOF && len(x.seen) == 0:
			return errNoBundle
		case err == io.EOF:
			return nil
		case errors.Is(err, tar.ErrHeader) && len(x.seen) == 0:
			return fmt.Errorf("%w (%w)", errNoBundle, err)
		case err != nil:
			return fmt.Errorf("it is not whole: %w", err)
		}
		if err := x.entry(h, archive); err != nil {
			return err
		}
	}
}

// extraction is one under way.
type extraction struct {
	root   *os.Root
	limits extractLimits
	// top is the directory that all is in.
	top   string
	bytes int64
	// seen has the files and directories, by their names in lower case.
	seen map[string]string
}

func (x *extraction) entry(h *tar.Header, content io.Reader) error {
	name := strings.TrimSuffix(h.Name, "/")
	isDir := h.Typeflag == tar.TypeDir
	switch {
	case !isDir && h.Typeflag != tar.TypeReg:
		return fmt.Errorf("%.200q is neither a file nor a directory", h.Name)
	case !messages.ValidEvidencePath(name):
		return fmt.Errorf("%.200q is no name that a file of a bundle may have", h.Name)
	}
	top, _, _ := strings.Cut(name, "/")
	if x.top == "" {
		x.top = top
	}
	id, ok := strings.CutPrefix(top, rootPrefix)
	if top != x.top || !ok || !messages.ValidIncidentID(id) || (name == top && !isDir) {
		return fmt.Errorf("%.200q is not in the directory of an incident, %s: %w", h.Name, x.top, errNoBundle)
	}
	if err := x.directories(path.Dir(name)); err != nil {
		return err
	}
	if isDir {
		return x.directories(name)
	}
	if err := x.see(name, false); err != nil {
		return err
	}
	return x.file(name, h.Size, content)
}

// see notes a name. It is an error if it was there before, as another one or as something else.
func (x *extraction) see(name string, isDir bool) error {
	key := strings.ToLower(name)
	if before, ok := x.seen[key]; ok && !(isDir && before == name+"/") {
		return fmt.Errorf("%.200q is in it twice, or in different letter cases", name)
	}
	if len(x.seen) >= x.limits.files {
		return fmt.Errorf("it has more than %d files", x.limits.files)
	}
	if isDir {
		name += "/"
	}
	x.seen[key] = name
	return nil
}

// directories makes a directory and those above it.
func (x *extraction) directories(name string) error {
	if name == "." {
		return nil
	}
	for i := 0; i <= len(name); i++ {
		if i < len(name) && name[i] != '/' {
			continue
		}
		if err := x.see(name[:i], true); err != nil {
			return err
		}
		if err := x.root.Mkdir(filepath.FromSlash(name[:i]), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

func (x *extraction) file(name string, size int64, content io.Reader) (err error) {
	if x.bytes += size; size < 0 || x.bytes > x.limits.bytes {
		return fmt.Errorf("its files have more than %d MiB together", x.limits.bytes>>20)
	}
	f, err := x.root.OpenFile(filepath.FromSlash(name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := io.CopyN(f, content, size); err != nil {
		return fmt.Errorf("it is not whole: %s: %w", name, err)
	}
	return nil
}
