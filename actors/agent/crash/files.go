package crash

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// File is a file of an artifact.
type File struct {
	// Artifact is the name of the artifact's directory, Name that of the file in it.
	Artifact, Name string
	Bytes          int64
}

// Files returns the files of the artifacts in a directory that are from a time on, or were changed then: the newest artifact first,
// of at most limit artifacts. Links are left out, and so is what is no regular file. With an error, what could be
// read is returned, too. A directory that does not exist has none. It may hang in a file system.
func Files(dir string, since time.Time, limit int) (files []File, err error) {
	found, _, err := (&Directory{path: dir}).list()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer found.root.Close()
	var failed []error
	artifacts := 0
	for _, c := range found.candidates[:min(len(found.candidates), maxCandidates)] {
		if c.link {
			continue
		}
		of, newest, err := filesOf(found.root, c.name)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", filepath.Join(dir, c.name), err))
		}
		if len(of) == 0 || c.at.Before(since) && newest.Before(since) {
			continue
		}
		if artifacts++; artifacts > limit {
			failed = append(failed, fmt.Errorf("%s has more than %d new artifacts: the newest are taken", dir, limit))
			break
		}
		files = append(files, of...)
	}
	return files, errors.Join(failed[:min(len(failed), maxProblems)]...)
}

// filesOf returns the regular files of an artifact, and when one of them was changed last.
func filesOf(root *os.Root, artifact string) (files []File, newest time.Time, err error) {
	entries, more, err := readNames(root, artifact, maxFiles)
	if more {
		err = fmt.Errorf("it has more than %d files: not all are taken", maxFiles)
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue // It has gone.
		}
		if info.ModTime().After(newest) {
			newest = info.ModTime()
		}
		files = append(files, File{artifact, e.Name(), info.Size()})
	}
	return files, newest, err
}

// Open opens a file of an artifact in the directory. It returns an error if that is a link or no regular file.
func (f File) Open(dir string) (*os.File, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	name := filepath.Join(f.Artifact, f.Name)
	info, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errNotRegular}
	}
	file, err := openIn(root, name)
	if err != nil {
		return nil, err
	}
	if opened, err := file.Stat(); err != nil || !os.SameFile(info, opened) {
		_ = file.Close()
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.Join(err, errNotRegular)}
	}
	return file, nil
}
