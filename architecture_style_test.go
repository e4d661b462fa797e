package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Lengths in lines. A function's are those of its body.
const (
	maxFileLines     = 300
	maxFunctionLines = 70
)

// Put together, so that this file does not hold what it looks for.
var unfinished = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X|HA` + `CK)\b`)

var machinePath = regexp.MustCompile(`(^|[^\w.])/(ro` + `ot|wo` + `rk)/`)

var e2eConstraint = regexp.MustCompile(`(?m)^//go:build e2e( && linux)?$`)

func styleRules() []rule {
	long := "package p\n\nfunc f() {\n" + strings.Repeat("\tprintln()\n", maxFunctionLines+1) + "}\n"
	return []rule{
		{
			name:   "files are short",
			why:    "a file holds one idea, and can be read at one go; tests and generated code may be longer",
			check:  each(checkFileLength),
			breaks: []map[string]string{{"p/x.go": "package p\n" + strings.Repeat("\n", maxFileLines)}},
			keeps:  map[string]string{"p/x.go": "package p\n", "p/x_test.go": "package p\n" + strings.Repeat("\n", maxFileLines)},
		},
		{
			name:   "functions are short",
			why:    "a function does one thing, and fits a screen",
			check:  each(checkFunctionLength),
			breaks: []map[string]string{{"p/x.go": long}, {"p/x.go": strings.Replace(long, "func f()", "var f = func()", 1)}},
			keeps:  map[string]string{"p/x.go": strings.Replace(long, "\tprintln()\n", "", 1), "p/x_test.go": long},
		},
		{
			name:  "one package comment a package",
			why:   "doc.go says what lives in the package and what may touch it: the first thing to read",
			check: checkPackageComments,
			breaks: []map[string]string{
				{"p/x.go": "package p"},
				{"p/doc.go": "// Package p.\npackage p", "p/x.go": "// Package p again.\npackage p"},
				{"p/x.go": "// Package p.\npackage p"},
				{"p/doc.go": "// What p does.\npackage p"},
				{"main.go": "package main"},
			},
			keeps: map[string]string{
				"p/doc.go": "// Package p is one.\npackage p", "p/x.go": "package p", "p/x_test.go": "package p",
				"main.go": "// Command p runs.\npackage main", "x_test.go": "package main",
			},
		},
		{
			name:   "packages stand in five folders",
			why:    "whoever looks for something knows where to begin; deploy/ has modules of their own, which only test what stands there",
			check:  each(checkTopFolder),
			breaks: []map[string]string{{"util/x.go": "package util"}, {"internal/x/x_test.go": "package x"}, {"deploy/x.go": "package deploy"}, {"deploy/x/x.go": "package x"}},
			keeps: map[string]string{"main.go": "package main", "actors/proxy/x.go": "package proxy", "httpapi/x.go": "package httpapi",
				"deploy/x/doc.go": "package x", "deploy/x/x_test.go": "package x", "deploy/tools/x/main.go": "package main"},
		},
		{
			name:  "tests do not sleep",
			why:   "a test that waits for real time is slow on a fast machine and fails on a slow one: time is fake, in a testing/synctest bubble; only tests of processes, behind the build tag e2e, cannot have that",
			check: each(checkSleep),
			breaks: []map[string]string{
				{"p/x_test.go": `package p; import "time"; func f() { time.Sleep(1) }`},
				{"p/x_test.go": `package p; import "time"; var sleep = time.Sleep`},
			},
			keeps: map[string]string{
				"p/x_test.go": `package p; import ("time"; "testing/synctest"); func f() { synctest.Wait(); time.Sleep(1) }`,
				"p/y_test.go": "//go:build e2e\n\npackage p\n\nimport \"time\"\n\nfunc f() { time.Sleep(1) }",
				"p/z_test.go": "//go:build e2e && linux\n\npackage p\n\nimport \"time\"\n\nfunc f() { time.Sleep(1) }",
			},
		},
		{
			name:  "nothing is left open",
			why:   "what is not done is an issue in the tracker; what is in the tree works",
			check: func(tree []source) []string { return checkText(tree, unfinished) },
			breaks: []map[string]string{
				{"p/x.go": "package p // TO" + "DO: more"}, {"README.md": "FIX" + "ME"}, {"Makefile": "# HA" + "CK"},
			},
			keeps: map[string]string{"README.md": "The hacker's to-do list."},
		},
		{
			name:   "no path of one machine",
			why:    "the project runs where it is cloned",
			check:  func(tree []source) []string { return checkText(tree, machinePath) },
			breaks: []map[string]string{{".ci/run": "cd /wo" + "rk/main"}, {"docs/x.md": "`/ro" + "ot/x`"}},
			keeps:  map[string]string{"docs/x.md": "see docs/work/x and https://example.org/work/x"},
		},
	}
}

func checkFileLength(s source, complain func(token.Pos, string, ...any)) {
	if s.isTest() || s.isGenerated() {
		return
	}
	if n := strings.Count(s.text, "\n"); n > maxFileLines {
		complain(s.file.Pos(), "%d lines, at most %d are allowed", n, maxFileLines)
	}
}

func checkFunctionLength(s source, complain func(token.Pos, string, ...any)) {
	if s.isTest() || s.isGenerated() {
		return
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		var body *ast.BlockStmt
		switch f := n.(type) {
		case *ast.FuncDecl:
			body = f.Body
		case *ast.FuncLit:
			body = f.Body
		}
		if body == nil {
			return true
		}
		if lines := s.fset.Position(body.Rbrace).Line - s.fset.Position(body.Lbrace).Line - 1; lines > maxFunctionLines {
			complain(n.Pos(), "a function of %d lines, at most %d are allowed", lines, maxFunctionLines)
		}
		return true
	})
}

func checkPackageComments(tree []source) []string {
	var complaints []string
	comments := map[string]int{} // by folder
	for _, s := range tree {
		if s.file == nil || s.isTest() {
			continue
		}
		comments[s.dir()] += 0
		if s.file.Doc == nil || s.isGenerated() {
			continue
		}
		comments[s.dir()]++
		name, wantFile, wantText := s.file.Name.Name, "doc.go", "Package "+s.file.Name.Name+" "
		if name == "main" {
			wantFile, wantText = "main.go", "Command "
		}
		if path.Base(s.path) != wantFile {
			complaints = append(complaints, s.complain(s.file.Pos(), "the comment of package %s belongs into %s", name, wantFile))
		}
		if !strings.HasPrefix(s.file.Doc.Text(), wantText) {
			complaints = append(complaints, s.complain(s.file.Pos(), "a package comment begins with %q", wantText))
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(comments)) {
		if comments[dir] != 1 {
			complaints = append(complaints, fmt.Sprintf("%s: %d package comments, 1 is wanted", dir, comments[dir]))
		}
	}
	return complaints
}

func checkTopFolder(s source, complain func(token.Pos, string, ...any)) {
	top, _, below := strings.Cut(s.path, "/")
	isOfDeploy := strings.HasPrefix(s.path, toolsDir) || top == "deploy" && (s.isTest() || path.Base(s.path) == "doc.go")
	if below && !isOfDeploy && !slices.Contains([]string{"actors", "httpapi", "messages", "modes", "recorder"}, top) {
		complain(s.file.Pos(), "a package in %s/", top)
	}
}

func checkSleep(s source, complain func(token.Pos, string, ...any)) {
	inBubble := s.doesImport("testing/synctest") || s.doesImport(module+"/actors/actorstest")
	if !s.isTest() || inBubble || isE2E(s) {
		return
	}
	s.uses("time", func(at token.Pos, sel string) {
		if sel == "Sleep" {
			complain(at, "time.Sleep in a test")
		}
	})
}

// isE2E reports whether the file is built with the tag e2e only.
func isE2E(s source) bool { return e2eConstraint.MatchString(s.text) }

func checkText(tree []source, forbidden *regexp.Regexp) []string {
	var complaints []string
	for _, s := range tree {
		if s.isGenerated() {
			continue
		}
		for i, line := range strings.Split(s.text, "\n") {
			if found := forbidden.FindString(line); found != "" {
				complaints = append(complaints, fmt.Sprintf("%s:%d: %q", s.path, i+1, found))
			}
		}
	}
	return complaints
}
