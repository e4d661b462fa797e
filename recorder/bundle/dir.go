package bundle

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"fodc/messages"
)

// documentName is the file of an incident's document.
const documentName = "incident.json"

// Dir is an incident in a directory: that of a storage, or an unpacked bundle.
type Dir struct {
	path     string
	incident *messages.Incident
}

// OpenDir reads the document of an incident's directory.
func OpenDir(path string) (*Dir, error) {
	f, err := openInside(path, documentName)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, messages.MaxIncidentBytes+1))
	if err != nil {
		return nil, err
	}
	i, err := messages.ParseIncident(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(path, documentName), err)
	}
	return &Dir{path: path, incident: &i}, nil
}

// openInside opens a regular file below a directory: no link leads out of it.
func openInside(dir, name string) (*os.File, error) {
	f, err := os.OpenInRoot(dir, filepath.FromSlash(name))
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", filepath.Join(dir, name))
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// Path returns the directory.
func (d *Dir) Path() string { return d.path }

// Incident implements Source.
func (d *Dir) Incident() *messages.Incident { return d.incident }

// Open implements Source.
func (d *Dir) Open(path string) (io.ReadCloser, int64, error) {
	f, err := d.OpenFile(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// OpenFile opens a file of the evidence.
func (d *Dir) OpenFile(path string) (*os.File, error) {
	if !messages.ValidEvidencePath(path) {
		return nil, fmt.Errorf("%.200q is no path of a file of an incident", path)
	}
	return openInside(d.path, path)
}

func (d *Dir) local(path string) string { return filepath.Join(d.path, filepath.FromSlash(path)) }
