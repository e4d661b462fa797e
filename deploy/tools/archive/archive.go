package archive

import (
	"archive/tar"
	"archive/zip"
	"cmp"
	"compress/flate"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// File is a file or a directory of an archive.
type File struct {
	// Name has slashes and no leading one. That of a directory ends with one.
	Name string
	// Mode has the bits of permissions alone.
	Mode     int64
	Contents []byte
	// UID is the owner and the group; zip archives have none.
	UID int
}

// FromDisk reads a file. It is executable for all or for nobody, and readable for all.
func FromDisk(name, path string) (File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return File{}, err
	}
	contents, err := os.ReadFile(path)
	if err != nil {
		return File{}, err
	}
	mode := int64(0o644)
	if info.Mode()&0o100 != 0 {
		mode = 0o755
	}
	return File{Name: name, Mode: mode, Contents: contents}, nil
}

// Tar writes the files in the order of their names, all with the same time in whole seconds.
func Tar(w io.Writer, at time.Time, files []File) error {
	out := tar.NewWriter(w)
	for _, f := range sorted(files) {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: f.Name, Mode: f.Mode, Size: int64(len(f.Contents)), Uid: f.UID, Gid: f.UID,
			ModTime: at.Truncate(time.Second), Format: tar.FormatUSTAR}
		if strings.HasSuffix(f.Name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if err := out.WriteHeader(h); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		if _, err := out.Write(f.Contents); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return out.Close()
}

// TarGzip is Tar, compressed.
func TarGzip(w io.Writer, at time.Time, files []File) error {
	compressed, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	if err := Tar(compressed, at, files); err != nil {
		return err
	}
	return compressed.Close()
}

// Zip writes the files in the order of their names, all with the same time.
func Zip(w io.Writer, at time.Time, files []File) error {
	out := zip.NewWriter(w)
	out.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	for _, f := range sorted(files) {
		h := &zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: at.UTC().Truncate(time.Second)}
		h.SetMode(os.FileMode(f.Mode))
		entry, err := out.CreateHeader(h)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		if _, err := entry.Write(f.Contents); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return out.Close()
}

func sorted(files []File) []File {
	return slices.SortedFunc(slices.Values(files), func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
}
