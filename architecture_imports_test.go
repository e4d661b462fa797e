package main

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

const (
	module     = "fodc"
	protoactor = "github.com/asynkron/protoactor-go"
	tsdb       = "github.com/prometheus/prometheus/tsdb"
)

// mayImport is the packages of this module that each of its packages may import;
// those that tests may import besides are in testsMayImport.
var mayImport = map[string][]string{
	".": {"modes"},
	"modes": {"modes/certs", "modes/clidoc", "modes/configfile", "modes/export", "modes/files", "modes/httpconfig", "modes/scrapeconfig", "modes/logsink", "modes/logsilencer", "modes/tokens", "modes/webconfig", "httpapi", "httpapi/access", "actors", "actors/agent", "actors/agent/mask", "actors/agent/nodeconfig", "actors/agent/pressure", "actors/agent/ramps", "actors/agent/rules", "actors/agent/rules/ruletest", "actors/agent/telemetry", "actors/agent/telemetry/kernel", "actors/proxy", "actors/proxy/store",
		"httpapi/promapi", "messages", "modes/incidents", "modes/inspect", "modes/query", "recorder/blocks", "recorder/bundle", "recorder/changes", "recorder/journal", "recorder/journal/diskfs", "recorder/incidentseries", "recorder/promstore", "actors/agent/capture", "recorder/evidence", "recorder/evidence/dirfs"},
	"modes/query":                   {"modes/logsink"},
	"modes/incidents":               {"messages", "modes/logsink"},
	"modes/inspect":                 {"modes/logsink", "recorder/journal"},
	"modes/export":                  {"httpapi/exposition", "messages", "modes/logsink", "recorder/blocks", "recorder/journal", "recorder/promstore"},
	"modes/certs":                   {"modes/files"},
	"modes/clidoc":                  {},
	"modes/configfile":              {},
	"modes/files":                   {"modes/logsink"},
	"modes/tokens":                  {},
	"modes/webconfig":               {"httpapi/access", "modes/files"},
	"modes/logsink":                 {},
	"modes/journalbench":            {},
	"modes/proxybench":              {},
	"modes/querybench":              {},
	"modes/incidentbench":           {},
	"modes/causesbench":             {},
	"modes/logsilencer":             {},
	"modes/nodetest":                {},
	"modes/certtest":                {},
	"messages/connlimit":            {},
	"httpapi":                       {"messages/connlimit", "httpapi/access", "httpapi/exposition", "httpapi/promapi", "httpapi/ui", "messages", "recorder/changes", "recorder/promstore"},
	"modes/httpconfig":              {},
	"modes/scrapeconfig":            {"actors/agent", "modes/httpconfig"},
	"httpapi/access":                {"messages"},
	"httpapi/ui":                    {},
	"httpapi/promapi":               {"messages", "recorder/promstore"},
	"httpapi/exposition":            {"messages"},
	"actors":                        {"messages"},
	"actors/actorstest":             {"actors", "messages"},
	"actors/agent":                  {"actors", "actors/agent/banyandb", "actors/agent/capture", "actors/agent/crash", "actors/agent/mask", "actors/agent/nodeconfig", "actors/agent/pressure", "actors/agent/ramps", "actors/agent/rules", "actors/agent/telemetry", "actors/agent/telemetry/kernel", "messages", "messages/wire", "recorder", "recorder/evidence", "recorder/journal"},
	"actors/agent/banyandb":         {"actors/agent/mask", "messages", "messages/wire"},
	"actors/agent/capture":          {"actors/agent/crash", "actors/agent/mask", "actors/agent/telemetry", "messages"},
	"actors/agent/crash":            {"actors/agent/mask", "messages"},
	"actors/agent/mask":             {},
	"actors/agent/mask/masktest":    {},
	"actors/agent/nodeconfig":       {"actors/agent/mask", "actors/agent/telemetry", "messages"},
	"actors/agent/pressure":         {"messages"},
	"actors/agent/rules":            {"messages", "recorder/promstore"},
	"actors/agent/rules/ruletest":   {"actors/agent/rules"},
	"actors/agent/ramps":            {"actors/agent/capture", "messages"},
	"actors/agent/telemetry":        {"messages", "recorder"},
	"actors/agent/telemetry/kernel": {"actors/agent/telemetry", "messages", "recorder"},
	"actors/proxy/store":            {"messages"},
	"actors/proxy":                  {"actors", "messages/connlimit", "messages", "messages/wire", "messages/wire/fastframe", "recorder", "recorder/evidence", "recorder/journal"},
	"actors/simulation":             {},
	"messages/wire":                 {"messages"},
	"messages/wire/fastframe":       {"messages", "messages/wire"},
	"recorder":                      {"messages", "recorder/codec"},
	"recorder/blocks":               {"httpapi/exposition", "messages", "recorder", "recorder/journal", "recorder/promstore"},
	"recorder/promstore":            {"httpapi/exposition", "messages"},
	"recorder/incidentseries":       {"messages", "recorder/blocks", "recorder/promstore"},
	"recorder/blocks/blockstest":    {},
	"recorder/bundle":               {"messages", "recorder/blocks", "recorder/changes", "recorder/journal"},
	"recorder/bundle/bundletest":    {"messages", "recorder", "recorder/blocks", "recorder/journal"},
	"recorder/changes":              {},
	"recorder/codec":                {},
	"recorder/evidence":             {"messages"},
	"recorder/evidence/dirfs":       {"recorder/evidence", "recorder/journal/diskfs"},
	"recorder/journal":              {"messages", "recorder", "recorder/codec"},
	"recorder/journal/diskfs":       {"recorder/journal"},
	"recorder/journal/journaltest":  {"recorder/disktest", "recorder/journal"},
	"recorder/disktest":             {},
	"recorder/recordertest":         {},
	"messages":                      {},

	"recorder/evidence/evidencetest": {"recorder/disktest", "recorder/evidence"},

	// A module of its own.
	"deploy/kubetest": {},
}

var testsMayImport = map[string][]string{
	"modes": {"messages/wire", "httpapi/exposition", "recorder/bundle/bundletest", "modes/nodetest", "modes/certtest", "actors/actorstest", "actors/agent/mask/masktest",
		"recorder", "recorder/journal", "recorder/journal/journaltest", "recorder/recordertest"},
	"modes/certs":        {"modes/certtest"},
	"modes/journalbench": {"recorder", "recorder/journal", "recorder/journal/diskfs", "recorder/recordertest"},
	"modes/httpconfig":   {"modes/certtest"},
	"modes/scrapeconfig": {"modes/certtest"},
	"modes/export":       {"recorder", "recorder/blocks/blockstest", "recorder/journal/journaltest"},
	"modes/proxybench":   {"messages", "messages/wire", "modes/certtest"},
	"modes/querybench": {"actors", "actors/agent", "messages", "recorder", "recorder/journal", "recorder/journal/diskfs",
		"recorder/recordertest"},
	"modes/causesbench":       {"actors/agent/telemetry", "actors/agent/telemetry/kernel", "messages", "recorder"},
	"modes/incidentbench":     {"messages", "recorder", "recorder/journal", "recorder/journal/diskfs", "recorder/recordertest"},
	"httpapi":                 {"modes/certtest"},
	"httpapi/access":          {"modes/certtest"},
	"modes/webconfig":         {"modes/certtest"},
	"actors":                  {"actors/actorstest"},
	"actors/agent":            {"modes/certtest", "recorder/disktest", "actors/actorstest", "actors/agent/mask/masktest", "recorder/journal/journaltest", "recorder/recordertest"},
	"actors/agent/mask":       {"actors/agent/mask/masktest"},
	"actors/agent/nodeconfig": {"actors/agent/mask/masktest"},
	"actors/agent/banyandb":   {"actors/agent/mask/masktest"},
	"actors/agent/capture":    {"actors/agent/mask/masktest"},
	"actors/agent/rules":      {"recorder", "recorder/recordertest"},
	"actors/proxy":            {"modes/certtest", "actors/actorstest", "recorder/bundle", "recorder/journal/journaltest"},
	"recorder/blocks":         {"recorder/blocks/blockstest", "recorder/recordertest"},
	"recorder/bundle":         {"recorder/blocks/blockstest", "recorder/bundle/bundletest"},
	"recorder":                {"recorder/recordertest"},
	"recorder/incidentseries": {"recorder/bundle/bundletest"},
	"recorder/evidence":       {"recorder/disktest", "recorder/evidence/dirfs", "recorder/evidence/evidencetest"},
	"recorder/evidence/dirfs": {"messages"},
	"recorder/journal":        {"recorder/disktest", "recorder/recordertest", "recorder/journal/journaltest"},
	"recorder/journal/diskfs": {"recorder"},
	// It is nothing but tests, of agents and a proxy together.
	"actors/simulation": {"recorder/disktest", "actors", "actors/actorstest", "actors/agent", "actors/proxy", "messages", "messages/wire", "recorder",
		"recorder/journal", "recorder/journal/journaltest"},
}

func importRules() []rule {
	return []rule{
		{
			name: "imports run one way",
			why: "main -> modes -> httpapi, actors/proxy, actors/agent -> actors, messages/wire, recorder -> messages: " +
				"a package can be read, tested and changed without those that stand above it",
			check: each(checkDirection),
			breaks: []map[string]string{
				{"httpapi/x.go": `package httpapi; import _ "fodc/actors"`},
				{"messages/x.go": `package messages; import _ "fodc/recorder"`},
				{"recorder/x_test.go": `package recorder; import _ "fodc/actors/actorstest"`},
				{"actors/proxy/x.go": `package proxy; import _ "fodc/actors/actorstest"`},
				{"modes/x.go": `package modes; import _ "fodc"`},
				{"util/x.go": `package util`},
				{"deploy/tools/pack/main.go": `package main; import _ "fodc/messages"`},
				{"deploy/x.go": `package deploy`},
				{"modes/x.go": `package modes; import _ "fodc/deploy/tools/archive"`},
			},
			keeps: map[string]string{
				"deploy/tools/pack/main.go": `package main; import _ "fodc/deploy/tools/archive"`,
				"modes/x.go":                `package modes; import _ "fodc/actors/proxy"`,
				"actors/proxy/x_test.go":    `package proxy; import _ "fodc/actors/actorstest"`,
			},
		},
		{
			name:  "only the kit imports protoactor",
			why:   "what bites in the runtime is handled in one place, package actors",
			check: each(checkProtoactor),
			breaks: []map[string]string{
				{"actors/proxy/x.go": `package proxy; import _ "` + protoactor + `/actor"`},
				{"modes/x_test.go": `package modes; import _ "` + protoactor + `"`},
			},
			keeps: map[string]string{"actors/x.go": `package actors; import _ "` + protoactor + `/actor"`},
		},
		{
			name: "only recorder/blocks imports the database of Prometheus",
			why: "its pitfalls are handled in one place: it takes samples in order only, logs, and needs clouds' libraries; " +
				"what is queried is chunks, whose encoding is a package of its own",
			check: each(checkTSDB),
			breaks: []map[string]string{
				{"modes/x.go": `package modes; import _ "` + tsdb + `"`},
				{"recorder/x_test.go": `package recorder; import _ "` + tsdb + `/chunkenc"`},
			},
			keeps: map[string]string{
				"recorder/blocks/x.go":    `package blocks; import _ "` + tsdb + `"`,
				"recorder/promstore/x.go": `package promstore; import _ "` + tsdb + `/chunkenc"`,
				"httpapi/promapi/x.go":    `package promapi; import _ "` + tsdb + `/chunkenc"`,
			},
		},
		{
			name:  "parts of protoactor that bite are not used",
			why:   "futures that are never released, continuations after a restart, timers that cannot be told apart, mailboxes that lose messages",
			check: each(checkBitingParts),
			breaks: []map[string]string{
				{"actors/agent/x.go": `package agent; func f(c interface{ SetReceiveTimeout() }) { c.SetReceiveTimeout() }`},
				{"actors/proxy/x.go": `package proxy; func f(c interface{ RequestFuture() }) { c.RequestFuture() }`},
			},
			keeps: map[string]string{"actors/agent/x.go": `package agent; func f(c interface{ Request() }) { c.Request() }`},
		},
		{
			name:  "messages is data on the standard library alone",
			why:   "what crosses a package boundary is immutable and can be sent, compared and printed: no lock, channel, context or address of an actor",
			check: each(checkMessages),
			breaks: []map[string]string{
				{"messages/x.go": `package messages; import _ "go.uber.org/zap"`},
				{"messages/x.go": `package messages; import _ "sync"`},
				{"messages/x.go": `package messages; type T struct{ Done chan struct{} }`},
			},
			keeps: map[string]string{
				"messages/x.go":      `package messages; import _ "time"`,
				"messages/x_test.go": `package messages; import _ "github.com/stretchr/testify/require"`,
				"messages/wire/x.go": `package wire; import _ "google.golang.org/protobuf/proto"`,
			},
		},
		{
			name:  "pure code touches nothing outside",
			why:   "rules and data structures are tested as functions: no actor, log, network or file; what they need is an argument",
			check: each(checkPureImports),
			breaks: []map[string]string{
				{"recorder/x.go": `package recorder; import _ "go.uber.org/zap/zapcore"`},
				{"actors/proxy/x_state.go": `package proxy; import _ "fodc/actors"`},
				{"actors/agent/x_state.go": `package agent; import _ "google.golang.org/grpc/codes"`},
				{"httpapi/exposition/x.go": `package exposition; import _ "net/http"`},
				{"messages/x.go": `package messages; import "net"; var _ = net.Dial`},
				{"messages/wire/x.go": `package wire; import _ "os"`},
				{"actors/agent/mask/x.go": `package mask; import _ "go.uber.org/zap"`},
			},
			keeps: map[string]string{
				"messages/x.go":         `package messages; import "net"; var _ = net.JoinHostPort`,
				"messages/wire/x.pb.go": "// Code generated by protoc-gen-go. DO NOT EDIT.\n\npackage wire\n\nimport _ \"google.golang.org/grpc\"",
				"recorder/x_test.go":    `package recorder; import _ "os"`,
				"actors/proxy/x.go":     `package proxy; import _ "go.uber.org/zap"`,
			},
		},
		{
			name:  "pure code does not look at the clock",
			why:   "time comes in as an argument, so that a test can say what time it is",
			check: each(checkPureClock),
			breaks: []map[string]string{
				{"actors/proxy/x_state.go": `package proxy; import "time"; var _ = time.Now()`},
				{"recorder/x.go": `package recorder; import "time"; var now = time.Now`},
				{"messages/x.go": `package messages; import "time"; func f(t time.Time) any { return time.Since(t) }`},
			},
			keeps: map[string]string{
				"actors/proxy/x_state.go": `package proxy; import "time"; func f(now time.Time) time.Time { return now.Add(time.Second) }`,
				"actors/proxy/x.go":       `package proxy; import "time"; var _ = time.Now()`,
			},
		},
	}
}

// toolsDir has a module of its own: what makes packages and images, whose many dependencies are none of the program's.
const toolsDir = "deploy/tools/"

func checkDirection(s source, complain func(token.Pos, string, ...any)) {
	if strings.HasPrefix(s.path, toolsDir) {
		s.imports(func(at token.Pos, p string) {
			if strings.HasPrefix(p, module+"/") && !strings.HasPrefix(p, module+"/"+toolsDir) {
				complain(at, "%s may not import %s", s.dir(), p)
			}
		})
		return
	}
	allowed, known := mayImport[s.dir()]
	if !known {
		complain(s.file.Pos(), "package %q is not in the architecture", s.dir())
		return
	}
	if s.isTest() {
		// A package's own path is what its external tests import.
		allowed = slices.Concat(allowed, testsMayImport[s.dir()], []string{s.dir()})
	}
	s.imports(func(at token.Pos, p string) {
		internal, ok := strings.CutPrefix(p, module+"/")
		if p == module || ok && !slices.Contains(allowed, internal) {
			complain(at, "%s may not import %s", s.dir(), p)
		}
	})
}

func checkProtoactor(s source, complain func(token.Pos, string, ...any)) {
	s.imports(func(at token.Pos, p string) {
		if strings.HasPrefix(p, protoactor) && s.dir() != "actors" {
			complain(at, "import of %s", p)
		}
	})
}

func checkTSDB(s source, complain func(token.Pos, string, ...any)) {
	s.imports(func(at token.Pos, p string) {
		isEncoding := p == tsdb+"/chunkenc" || p == tsdb+"/chunks"
		if (p == tsdb || strings.HasPrefix(p, tsdb+"/")) && !strings.HasPrefix(s.dir(), "recorder/blocks") && !(isEncoding && slices.Contains([]string{"recorder/promstore", "httpapi/promapi", "actors/agent/rules/ruletest"}, s.dir())) {
			complain(at, "import of %s", p)
		}
	})
}

func checkBitingParts(s source, complain func(token.Pos, string, ...any)) {
	if s.dir() == "actors" {
		return
	}
	biting := []string{"RequestFuture", "ReenterAfter", "SetReceiveTimeout", "CancelReceiveTimeout", "NewTimerScheduler",
		"StopFuture", "PoisonFuture"}
	ast.Inspect(s.file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && slices.Contains(biting, sel.Sel.Name) {
			complain(sel.Pos(), "use of %s", sel.Sel.Name)
		}
		return true
	})
}

func checkMessages(s source, complain func(token.Pos, string, ...any)) {
	if s.dir() != "messages" || s.isTest() {
		return
	}
	s.imports(func(at token.Pos, p string) {
		first, _, _ := strings.Cut(p, "/")
		if strings.Contains(first, ".") || slices.Contains([]string{"context", "sync", "sync/atomic"}, p) {
			complain(at, "import of %s", p)
		}
	})
	ast.Inspect(s.file, func(n ast.Node) bool {
		if c, ok := n.(*ast.ChanType); ok {
			complain(c.Pos(), "a channel")
		}
		return true
	})
}

// isPure reports whether the file must hold rules and data only.
func isPure(s source) bool {
	if s.isTest() || s.isGenerated() {
		return false
	}
	return slices.Contains([]string{"messages", "messages/wire", "messages/wire/fastframe", "recorder", "recorder/changes", "recorder/codec", "recorder/evidence", "recorder/journal", "httpapi/exposition", "modes/inspect", "modes/query", "modes/clidoc", "modes/configfile", "modes/tokens", "recorder/promstore",
		"actors/agent/mask"}, s.dir()) ||
		strings.HasSuffix(s.path, "_state.go")
}

func checkPureImports(s source, complain func(token.Pos, string, ...any)) {
	if !isPure(s) {
		return
	}
	impure := []string{protoactor, "go.uber.org/zap", "google.golang.org/grpc", "log", "os", "net/http", "net/rpc", "net/smtp",
		"crypto/tls", module + "/actors"}
	s.imports(func(at token.Pos, p string) {
		if slices.ContainsFunc(impure, func(i string) bool { return p == i || strings.HasPrefix(p, i+"/") }) {
			complain(at, "import of %s in pure code", p)
		}
	})
	// Of package net, what handles text.
	text := []string{"JoinHostPort", "SplitHostPort"}
	s.uses("net", func(at token.Pos, sel string) {
		if !slices.Contains(text, sel) {
			complain(at, "use of net.%s in pure code", sel)
		}
	})
}

func checkPureClock(s source, complain func(token.Pos, string, ...any)) {
	if !isPure(s) {
		return
	}
	clock := []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}
	s.uses("time", func(at token.Pos, sel string) {
		if slices.Contains(clock, sel) {
			complain(at, "use of time.%s in pure code", sel)
		}
	})
}
