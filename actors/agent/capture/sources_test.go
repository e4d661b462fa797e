package capture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// sourceOf says of each field of Config what is taken from there, and how secrets in it are masked; settings hold no evidence.
var sourceOf = map[string]string{
	"Profiles": "setting", "Metrics": "setting", "ScrapeTime": "setting", "Goroutines": "setting", "Root": "setting", "KernelLog": "setting",
	"From": "setting", "Opened": "setting", "Frozen": "setting", "Have": "setting", "client": "setting",
	"Endpoint":   "stacks as text: by line; profiles in protobuf: as they are, with names of functions and labels, as docs/api.md says",
	"Process":    "files of the kernel: by line; its name: as a text",
	"DataDirs":   "their file systems: as texts",
	"kernelLog":  "by line",
	"NodeLogs":   "by line",
	"Crashes":    "by package crash, before they are kept",
	"CrashDirs":  "names: as texts; files: by line, also those in gzip; others are left out",
	"NodeConfig": "by package nodeconfig, with the names of values",
	"Actors":     "names of the agent's own actors, numbers and times",
	"Ramps":      "profiles in protobuf: as they are, with names of functions and labels, as docs/api.md says",
}

// stepsIn says how many steps the functions make that make some, so that a new one is noticed here, and where each masks what it takes.
var stepsIn = map[string]int{
	"document":     1, // what NodeConfig and Actors return: they mask
	"crashSteps":   2, // they look for further steps
	"artifactStep": 1, // copyArtifact, textWriter
	"kernelSteps":  1, // textWriter
	"logSteps":     2, // textWriter
	"step":         1, // profiles in protobuf
	"stacks":       1, // lineWriter
	"processSteps": 1, // textWriter
	"rampSteps":    1, // it looks for further steps
	"rampStep":     1, // profiles in protobuf
}

// TestSourcesAreMasked: whoever adds a source of evidence decides how secrets in it are masked. A test plants them there, too:
// TestEvidenceHasNoSecret.
func TestSourcesAreMasked(t *testing.T) {
	var fields, known []string
	for f := range reflect.TypeFor[Config]().Fields() {
		fields = append(fields, f.Name)
	}
	for name := range sourceOf {
		known = append(known, name)
	}
	slices.Sort(fields)
	slices.Sort(known)
	require.Equal(t, known, fields, "sourceOf says how secrets in a source are masked")

	made := map[string]int{}
	files, err := fs.Glob(os.DirFS("."), "*.go")
	require.NoError(t, err)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				if n := stepsMadeIn(f); n > 0 {
					made[f.Name.Name] += n
				}
			}
		}
	}
	require.Equal(t, stepsIn, made, "stepsIn says where the new step masks what it takes")
}

// stepsMadeIn counts the steps that a function makes: those that take something, or look for more.
func stepsMadeIn(f *ast.FuncDecl) (n int) {
	ast.Inspect(f, func(node ast.Node) bool {
		if literal, ok := node.(*ast.CompositeLit); ok {
			for _, e := range literal.Elts {
				if kv, ok := e.(*ast.KeyValueExpr); ok {
					if key, ok := kv.Key.(*ast.Ident); ok && (key.Name == "Run" || key.Name == "More") {
						n++
					}
				}
			}
		}
		return true
	})
	return n
}
