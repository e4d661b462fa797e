package nodeconfig

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"fodc/messages"
)

// parseFile parses the contents of a file. The form follows from the extension, or else from
// the contents. It may return both parameters and an error.
func parseFile(name, contents string) (*params, error) {
	contents = strings.TrimPrefix(contents, "\ufeff")
	if !utf8.ValidString(contents) || strings.ContainsRune(contents, 0) {
		return nil, errors.New("not a text in UTF-8")
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".json":
		return parseJSON(contents)
	case ".yaml", ".yml":
		return parseYAML(contents)
	case ".env", ".properties":
		return parseKeyValues(contents)
	}
	switch {
	case strings.HasPrefix(strings.TrimSpace(contents), "{"):
		return parseJSON(contents)
	case isKeyValues(contents):
		return parseKeyValues(contents)
	default:
		return parseYAML(contents)
	}
}

// Preview returns what an agent would send of the file: its parameters, masked and within
// their limits, and what is wrong with it.
func Preview(name string) (shown []messages.ConfigParam, problems []string) {
	f := &file{name: name}
	f.read(time.Now())
	found := f.params
	if found == nil {
		found = &params{}
	}
	shown, notes := section("runtime_config", found)
	if problem := f.problem(); problem != "" {
		problems = append(problems, note(problem))
	}
	return shown, append(problems, notes...)
}

const (
	// maxFileBytes bounds a configuration file.
	maxFileBytes = 1 << 20
	// mtimeResolution is the coarsest resolution of a file's modification time: within it,
	// a file may change again with the same time.
	mtimeResolution = 2 * time.Second
)

// read reads the file, unless its modification time, size and inode are those of the last
// read.
func (f *file) read(now time.Time) {
	info, err := os.Stat(f.name)
	if err != nil {
		f.failed(err)
		return
	}
	if f.stable && f.info != nil && os.SameFile(f.info, info) && f.info.ModTime().Equal(info.ModTime()) && f.info.Size() == info.Size() {
		if f.err == nil {
			f.at = now
		}
		return
	}
	contents, err := readFile(f.name, info)
	if err != nil {
		f.failed(err)
		return
	}
	f.info, f.stable = info, now.Sub(info.ModTime()) > mtimeResolution
	found, err := parseFile(f.name, contents)
	if err != nil {
		err = fmt.Errorf("%s: %w", f.name, err)
	}
	f.record(found, "file "+f.name, err, now)
}

func (f *file) failed(err error) {
	f.info, f.err, f.partial = nil, err, false
}

func readFile(name string, info os.FileInfo) (string, error) {
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is no regular file", name)
	}
	opened, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = opened.Close() }()
	contents, err := io.ReadAll(io.LimitReader(opened, maxFileBytes+1))
	if err != nil {
		return "", err
	}
	if len(contents) > maxFileBytes {
		return "", fmt.Errorf("%s has more than %d bytes, which are allowed", name, maxFileBytes)
	}
	return string(contents), nil
}
