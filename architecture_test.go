package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// source is one file of the tree; file is nil unless it is Go.
type source struct {
	path string // from the top, with slashes
	text string
	fset *token.FileSet
	file *ast.File
}

func (s source) dir() string       { return path.Dir(s.path) }
func (s source) isTest() bool      { return strings.HasSuffix(s.path, "_test.go") }
func (s source) isGenerated() bool { return s.file != nil && ast.IsGenerated(s.file) }

// complain returns a complaint about a place in the file.
func (s source) complain(at token.Pos, format string, args ...any) string {
	return fmt.Sprintf("%s:%d: %s", s.path, s.fset.Position(at).Line, fmt.Sprintf(format, args...))
}

// imports calls f for each import.
func (s source) imports(f func(at token.Pos, path string)) {
	for _, i := range s.file.Imports {
		if p, err := strconv.Unquote(i.Path.Value); err == nil {
			f(i.Pos(), p)
		}
	}
}

func (s source) doesImport(want string) bool {
	found := false
	s.imports(func(_ token.Pos, p string) { found = found || p == want })
	return found
}

// uses calls f for each x.sel where x is the name by which the file imports the
// package; the name must be the last part of its path.
func (s source) uses(pkg string, f func(at token.Pos, sel string)) {
	if !s.doesImport(pkg) {
		return
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == path.Base(pkg) {
				f(sel.Pos(), sel.Sel.Name)
			}
		}
		return true
	})
}

// A rule is something that holds for the whole tree, and why. check returns a
// complaint for each place where it does not hold.
type rule struct {
	name, why string
	check     func([]source) []string
	// breaks has small trees, path -> text, each of which breaks the rule; keeps one
	// that does not.
	breaks []map[string]string
	keeps  map[string]string
}

func TestArchitecture(t *testing.T) {
	tree, err := readTree(".")
	require.NoError(t, err)
	require.Greater(t, len(tree), 50, "the tree is not found")
	for _, r := range slices.Concat(importRules(), styleRules()) {
		t.Run(r.name, func(t *testing.T) {
			for _, complaint := range r.check(tree) {
				t.Error(complaint)
			}
			if t.Failed() {
				t.Log("Why this rule: " + r.why)
			}
		})
	}
}

// TestRulesCanFail shows each rule what it must find, and what it must let pass.
func TestRulesCanFail(t *testing.T) {
	for _, r := range slices.Concat(importRules(), styleRules()) {
		t.Run(r.name, func(t *testing.T) {
			require.NotEmpty(t, r.why)
			require.NotEmpty(t, r.breaks)
			for _, files := range r.breaks {
				require.NotEmpty(t, r.check(parseTree(t, files)), "nothing found in %v", files)
			}
			require.NotEmpty(t, r.keeps)
			require.Empty(t, r.check(parseTree(t, r.keeps)))
		})
	}
}

func parseTree(t *testing.T, files map[string]string) []source {
	t.Helper()
	var tree []source
	for name, text := range files {
		s, err := parseSource(name, text)
		require.NoError(t, err)
		tree = append(tree, s)
	}
	return tree
}

// readTree reads what people write: no build results, no test data.
func readTree(top string) ([]source, error) {
	var tree []source
	err := filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() {
			if name != top && (slices.Contains([]string{"bin", "dist", "testdata", "node_modules"}, base) || base == ".git") {
				return filepath.SkipDir
			}
			return nil
		}
		if !isWritten(filepath.ToSlash(name)) {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		s, err := parseSource(filepath.ToSlash(name), string(text))
		tree = append(tree, s)
		return err
	})
	return tree, err
}

func isWritten(name string) bool {
	switch path.Ext(name) {
	case ".go", ".md", ".proto", ".sh", ".yml", ".yaml":
		return true
	}
	return path.Base(name) == "Makefile" || strings.HasPrefix(name, ".ci/")
}

func parseSource(name, text string) (source, error) {
	s := source{path: name, text: text}
	if path.Ext(name) != ".go" {
		return s, nil
	}
	s.fset = token.NewFileSet()
	var err error
	s.file, err = parser.ParseFile(s.fset, name, text, parser.ParseComments)
	return s, err
}

// each makes a check of the whole tree from a check of one Go file.
func each(f func(s source, complain func(token.Pos, string, ...any))) func([]source) []string {
	return func(tree []source) []string {
		var complaints []string
		for _, s := range tree {
			if s.file == nil {
				continue
			}
			f(s, func(at token.Pos, format string, args ...any) {
				complaints = append(complaints, s.complain(at, format, args...))
			})
		}
		return complaints
	}
}
