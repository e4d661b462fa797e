package rules

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Load reads the built-in rules, if they are wanted, and those of all files that the globs match. A rule of a
// file replaces those of the same name that are built in or in a file before it. Files of a glob are read in
// the order of their names. A glob that matches no file is an error only if it is no pattern, but the name
// of a file. The error names each file, line and reason.
func Load(builtin bool, globs []string) (*Set, error) {
	s := &Set{}
	var errs []error
	if builtin {
		rules, err := builtinRules()
		s.add(rules)
		errs = append(errs, err)
	}
	files, err := matching(globs)
	errs = append(errs, err)
	if len(files) > MaxFiles {
		return nil, fmt.Errorf("there are %d files of rules, at most %d are allowed", len(files), MaxFiles)
	}
	for _, name := range files {
		rules, err := readFile(name)
		errs = append(errs, err)
		s.add(rules)
	}
	s.files = files
	if len(s.rules) > MaxRules {
		errs = append(errs, fmt.Errorf("there are %d rules, at most %d are allowed", len(s.rules), MaxRules))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return s, nil
}

// matching returns the files that the globs match, each one once.
func matching(globs []string) (files []string, err error) {
	var errs []error
	for _, g := range globs {
		names, err := filepath.Glob(g)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("%s: %w", g, err))
		case len(names) == 0 && !strings.ContainsAny(g, `*?[`):
			errs = append(errs, fmt.Errorf("%s: %w", g, os.ErrNotExist))
		}
		slices.Sort(names)
		for _, name := range names {
			if !slices.Contains(files, name) {
				files = append(files, name)
			}
		}
	}
	return files, errors.Join(errs...)
}

// Unmatched returns the globs that match no file.
func Unmatched(globs []string) (none []string) {
	for _, g := range globs {
		if names, err := filepath.Glob(g); err == nil && len(names) == 0 {
			none = append(none, g)
		}
	}
	return none
}

func readFile(name string) ([]*Definition, error) {
	content, err := readBounded(name)
	if err != nil {
		return nil, err
	}
	return Parse(name, content)
}

// readBounded returns the content of a file of at most MaxFileBytes.
func readBounded(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: it is no regular file", name)
	}
	content, err := io.ReadAll(io.LimitReader(f, MaxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(content) > MaxFileBytes {
		return nil, fmt.Errorf("%s: it has more than %d bytes", name, MaxFileBytes)
	}
	return content, nil
}
