package main

import (
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const architectureDoc = "docs/architecture.md"

// importsRow is a line of the table of folders: the folder, and what it imports.
var importsRow = regexp.MustCompile("(?m)^\\| `([a-z/]+)/` \\|.*\\| ([^|]*)\\|$")

// Every package is named in the document, and the table has the imports that are allowed.
func TestArchitectureDocHasThePackages(t *testing.T) {
	text, err := os.ReadFile(architectureDoc)
	require.NoError(t, err)
	for pkg := range mayImport {
		if pkg != "." {
			require.Contains(t, string(text), "`"+pkg+"/`", "%s does not name the package", architectureDoc)
		}
	}
	rows := importsRow.FindAllStringSubmatch(string(text), -1)
	require.Greater(t, len(rows), 10, "the table is not found")
	for _, row := range rows {
		pkg, imports := row[1], strings.TrimSpace(row[2])
		allowed, known := mayImport[pkg]
		require.True(t, known, "%s: there is no package %q", architectureDoc, pkg)
		if imports == "all below" {
			continue
		}
		var want []string
		for _, p := range allowed {
			if p != "messages" {
				want = append(want, path.Base(p))
			}
		}
		got := strings.FieldsFunc(imports, func(c rune) bool { return c == ',' || c == ' ' })
		require.ElementsMatch(t, want, got, "%s: what %q imports", architectureDoc, pkg)
	}
}
