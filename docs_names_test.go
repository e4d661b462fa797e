package main

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The documents name files, folders and make targets. A name that is wrong costs a newcomer
// more than one that is missing, so a rename must not leave one behind.
func TestDocumentsNameWhatExists(t *testing.T) {
	files, err := trackedFiles(".")
	require.NoError(t, err)
	makefile, err := os.ReadFile("Makefile")
	require.NoError(t, err)
	for _, doc := range documents(files) {
		text, err := os.ReadFile(doc)
		require.NoError(t, err)
		for _, name := range wrongNames(doc, string(text), files, string(makefile)) {
			t.Errorf("%s names %q, which does not exist", doc, name)
		}
	}
}

// TestWrongNamesAreFound shows the check what it must find, and what it must let pass.
func TestWrongNamesAreFound(t *testing.T) {
	files := []string{"README.md", "docs/api.md", "actors/proxy/registry.go", "actors/proxy/doc.go", "messages/doc.go", "testdata/a/b.txt"}
	const makefile = "check: lint ## what CI runs\nbench-proxy: build ## measure\n"
	f := func(doc, text string, want ...string) {
		t.Helper()
		require.Equal(t, want, wrongNames(doc, text, files, makefile), "%s in %s", text, doc)
	}
	f("README.md", "`actors/proxy/registry.go`, `actors/proxy/`, `actors/*/registry.go`, `testdata/a`, [api](docs/api.md), `make check`")
	f("docs/api.md", "[readme](../README.md), [above](#top), [site](https://example.com/a.go), `a/b` and `GET /metrics`")
	f("README.md", "`actors/proxy/gone.go` and `actors/gone/`", "actors/proxy/gone.go", "actors/gone/")
	f("README.md", "`actors/*/gone.go`", "actors/*/gone.go")
	f("README.md", "[api](docs/gone.md#x)", "docs/gone.md")
	f("docs/api.md", "[api](docs/api.md)", "docs/api.md")
	f("README.md", "`make check`, `make bench-proxy`, `make gone`", "make gone")
	f("README.md", "    make gone ARG=1\n    make check     # comment\n", "make gone")
	f("README.md", "See `registry.go`, and `gone.go`.", "gone.go")
	f("actors/proxy/doc.go", "// Package proxy: registry.go and doc.go, not gone.go.", "gone.go")
	f("messages/doc.go", "// Package messages: registry.go is of package proxy.", "registry.go")
	f("messages/doc.go", "// An actor has x.go and x_state.go, like actors/proxy/registry.go.")
}

// documents returns the files whose names are checked: all of Markdown but the changelog, which
// tells of the past, and every doc.go.
func documents(files []string) []string {
	return slices.DeleteFunc(slices.Clone(files), func(f string) bool {
		return path.Base(f) != "doc.go" && (path.Ext(f) != ".md" || f == "CHANGELOG.md")
	})
}

var (
	quotedText = regexp.MustCompile("`([^`\n]+)`")
	linkTarget = regexp.MustCompile(`\]\(([^)#\s]*)(?:#[^)]*)?\)`)
	goFile     = regexp.MustCompile(`[\w*./-]+\.go\b`)
	makeCall   = regexp.MustCompile("(?m)(?:^    |`)make ([a-z][a-z0-9-]*)")
	target     = regexp.MustCompile(`(?m)^([a-z][a-z0-9-]*):`)
)

// wrongNames returns the names in a document that do not exist, each once. A text in backquotes
// counts as a path if it begins with a top folder; links are relative to the document.
func wrongNames(doc, text string, files []string, makefile string) []string {
	var wrong []string
	check := func(name string, exists bool) {
		// x.go and x_state.go stand for the two files of any actor.
		if !exists && name != "x.go" && name != "x_state.go" && !slices.Contains(wrong, name) {
			wrong = append(wrong, name)
		}
	}
	if path.Base(doc) == "doc.go" {
		for _, name := range goFile.FindAllString(text, -1) {
			check(name, existsAt(files, path.Join(path.Dir(doc), name)) || strings.Contains(name, "/") && existsAt(files, name))
		}
		return wrong
	}
	for _, m := range quotedText.FindAllStringSubmatch(text, -1) {
		if name := m[1]; isPath(name, files) {
			check(name, existsAt(files, name))
		} else if !strings.Contains(name, "/") && goFile.FindString(name) == name {
			check(name, existsAnywhere(files, name))
		}
	}
	for _, m := range linkTarget.FindAllStringSubmatch(text, -1) {
		if m[1] != "" && !strings.Contains(m[1], ":") {
			check(m[1], existsAt(files, path.Join(path.Dir(doc), m[1])))
		}
	}
	targets := target.FindAllStringSubmatch(makefile, -1)
	for _, m := range makeCall.FindAllStringSubmatch(text, -1) {
		check("make "+m[1], slices.ContainsFunc(targets, func(t []string) bool { return t[1] == m[1] }))
	}
	return wrong
}

// isPath reports whether the text is a path from the top of the tree.
func isPath(text string, files []string) bool {
	first, _, found := strings.Cut(text, "/")
	return found && !strings.ContainsAny(text, " {}<>") && slices.ContainsFunc(files, func(f string) bool { return strings.HasPrefix(f, first+"/") })
}

// existsAt reports whether there is a file or folder of the path, which may have wildcards.
func existsAt(files []string, pattern string) bool {
	pattern = path.Clean(pattern)
	depth := strings.Count(pattern, "/") + 1
	return slices.ContainsFunc(files, func(f string) bool {
		parts := strings.Split(f, "/")
		matched, err := path.Match(pattern, strings.Join(parts[:min(depth, len(parts))], "/"))
		return err == nil && matched
	})
}

func existsAnywhere(files []string, pattern string) bool {
	return slices.ContainsFunc(files, func(f string) bool {
		matched, err := path.Match(pattern, path.Base(f))
		return err == nil && matched
	})
}

// trackedFiles returns all files below the folder but those of version control and builds.
func trackedFiles(root string) (files []string, err error) {
	err = filepath.WalkDir(root, func(name string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "bin" || d.Name() == "dist"):
			return filepath.SkipDir
		case !d.IsDir():
			files = append(files, filepath.ToSlash(name))
		}
		return nil
	})
	return files, err
}
