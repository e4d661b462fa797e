package agent

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const moduleRoot = "../.."

// parsedFile is a file of the module that is not generated.
type parsedFile struct {
	dir  string // from the module's root
	test bool
	ast  *ast.File
}

func parseModule(t *testing.T) []parsedFile {
	t.Helper()
	var files []parsedFile
	set := token.NewFileSet()
	err := filepath.WalkDir(moduleRoot, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "bin" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && d.Name() != ".."):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, ".pb.go"):
			return nil
		}
		f, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(moduleRoot, filepath.Dir(name))
		files = append(files, parsedFile{filepath.ToSlash(dir), strings.HasSuffix(name, "_test.go"), f})
		return err
	})
	require.NoError(t, err)
	return files
}

// TestMinimalAPI fails if the agent's or the proxy's actors export what no other
// package uses, or has a function that ignores a parameter. Names of methods and
// fields count as used where any other package selects that name. Seen to fail when
// package proxy exported a function that nobody used.
func TestMinimalAPI(t *testing.T) {
	files := parseModule(t)
	used := map[string]map[string]bool{} // name -> folders that select it
	for _, f := range files {
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				usedIn(used, n.Sel.Name, f.dir)
			case *ast.KeyValueExpr: // a field in a literal
				if key, ok := n.Key.(*ast.Ident); ok {
					usedIn(used, key.Name, f.dir)
				}
			}
			return true
		})
	}
	checked := 0
	for _, f := range files {
		if f.test || f.dir != "actors/agent" && f.dir != "actors/proxy" {
			continue
		}
		for _, name := range exported(f.ast) {
			checked++
			folders := used[name]
			if len(folders) == 0 || len(folders) == 1 && folders[f.dir] {
				t.Errorf("%s: %s is exported, and no other package uses it", f.dir, name)
			}
		}
		for _, name := range ignoredParameters(f.ast) {
			t.Errorf("%s: %s is ignored", f.dir, name)
		}
	}
	require.Greater(t, checked, 20, "it looks in the wrong place")
}

func usedIn(used map[string]map[string]bool, name, dir string) {
	if used[name] == nil {
		used[name] = map[string]bool{}
	}
	used[name][dir] = true
}

// exported returns what the file exports: top-level names, methods of exported types,
// and fields of exported structs.
func exported(f *ast.File) []string {
	var names []string
	add := func(ids ...*ast.Ident) {
		for _, id := range ids {
			if id.IsExported() {
				names = append(names, id.Name)
			}
		}
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil || isExportedType(d.Recv.List[0].Type) {
				add(d.Name)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.ValueSpec:
					add(s.Names...)
				case *ast.TypeSpec:
					add(s.Name)
					if st, ok := s.Type.(*ast.StructType); ok && s.Name.IsExported() {
						for _, field := range st.Fields.List {
							add(field.Names...)
						}
					}
				}
			}
		}
	}
	return names
}

func isExportedType(e ast.Expr) bool {
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	id, ok := e.(*ast.Ident)
	return ok && id.IsExported()
}

// ignoredParameters returns the parameters that have a name and are not used.
func ignoredParameters(f *ast.File) []string {
	var ignored []string
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		inBody := map[string]bool{}
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				inBody[id.Name] = true
			}
			return true
		})
		for _, field := range fn.Type.Params.List {
			for _, id := range field.Names {
				if id.Name != "_" && !inBody[id.Name] {
					ignored = append(ignored, fn.Name.Name+"("+id.Name+")")
				}
			}
		}
	}
	return ignored
}
