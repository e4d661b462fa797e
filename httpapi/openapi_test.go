package httpapi

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"fodc/httpapi/access"
	"fodc/httpapi/promapi"
	"fodc/messages"
	"fodc/recorder/promstore"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.yaml.in/yaml/v3"
)

// spec is the part of docs/openapi.yaml that the tests read.
type spec struct {
	Paths      map[string]specPath
	Components struct {
		Parameters map[string]specParameter
		Schemas    map[string]specSchema
		Responses  map[string]any
		Headers    map[string]any
	}
}

type specPath struct {
	ServedBy                     []string `yaml:"x-served-by"`
	Get, Head, Post, Put, Delete *specOperation
}

// operations are those that the path has, by method.
func (p *specPath) operations() map[string]*specOperation {
	all := map[string]*specOperation{http.MethodGet: p.Get, http.MethodHead: p.Head, http.MethodPost: p.Post,
		http.MethodPut: p.Put, http.MethodDelete: p.Delete}
	maps.DeleteFunc(all, func(_ string, o *specOperation) bool { return o == nil })
	return all
}

type specOperation struct {
	Parameters []specParameter
	// AgentParameters are those that an agent takes; nil: all.
	AgentParameters []string `yaml:"x-agent-parameters"`
	Responses       map[string]struct {
		Content map[string]struct{ Schema specSchema }
	}
}

type specParameter struct {
	Ref, Name, In string
	Schema        specSchema
}

type specSchema struct {
	Ref, Type  string
	Nullable   bool
	Enum       []string
	Required   []string
	Properties map[string]specSchema
	Additional *specSchema `yaml:"additionalProperties"`
	Items      *specSchema
	OneOf      []specSchema `yaml:"oneOf"`
}

func readSpec(t *testing.T) *spec {
	t.Helper()
	text, err := os.ReadFile("../docs/openapi.yaml")
	require.NoError(t, err)
	var s spec
	require.NoError(t, yaml.Unmarshal([]byte(strings.ReplaceAll(string(text), "$ref:", "ref:")), &s))
	return &s
}

// serving returns the paths that the server has.
func (s *spec) serving(server string) []string {
	var paths []string
	for path, p := range s.Paths {
		if slices.Contains(p.ServedBy, server) {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

func refName(ref string) string { return ref[strings.LastIndex(ref, "/")+1:] }

// parameters returns those of the query that the server takes, by name.
func (s *spec) parameters(t *testing.T, server, path string) map[string]specSchema {
	t.Helper()
	one := s.Paths[path]
	op, all := one.Get, map[string]specSchema{}
	if op == nil {
		op = cmp.Or(one.Post, one.Put)
	}
	for _, p := range op.Parameters {
		if p.Ref != "" {
			var ok bool
			p, ok = s.Components.Parameters[refName(p.Ref)]
			require.True(t, ok, "%s: no such parameter", path)
		}
		if p.In == "query" && (server != "agent" || op.AgentParameters == nil || slices.Contains(op.AgentParameters, p.Name)) {
			all[p.Name] = p.Schema
		}
	}
	return all
}

var links = regexp.MustCompile(`<li>(?:<a href="\.[^"]+">)?(/[^<:]*)(?:</a>)?: `)

// onNode returns the path with a node id in place of its parameter.
func onNode(path string) string {
	return strings.NewReplacer(nodeIDParam, "n1", podNameParam, "pod", "{profile_id}", "p1", "{type}", "heap", "{name}", "node_id",
		incidentIDParam, firstIncident, evidencePathParam, heapPath).Replace(path)
}

// inExample is a pattern of the path in a command of docs/api.md.
func inExample(path string) string {
	quoted := strings.ReplaceAll(regexp.QuoteMeta(path), regexp.QuoteMeta(evidencePathParam), "[^ ]+")
	return regexp.MustCompile(`\\\{[a-z_]+\\\}`).ReplaceAllString(quoted, "[^/]+")
}

// documentedServer is a server with the routes of its API of Prometheus.
type documentedServer struct {
	http.Handler
	queries []promapi.Route
}

// ownPaths are the paths that the server has beside those of the API of Prometheus.
func (d documentedServer) ownPaths(s *spec, server string) []string {
	return slices.DeleteFunc(s.serving(server), func(path string) bool { return strings.HasPrefix(path, apiPrefix) })
}

// queriesOver returns the routes of the API of Prometheus.
func queriesOver(collect promstore.Collect, targets func(context.Context) ([]promapi.Target, error)) []promapi.Route {
	return promapi.New(promapi.Config{Storage: promstore.New(promstore.Config{Collect: collect, Timeout: time.Second, Now: time.Now}), Targets: targets,
		Limits: promapi.Limits{Timeout: time.Second, MaxSamples: 1000, Concurrency: 2}, Now: time.Now, Log: zap.NewNop()}).Routes()
}

// documentedServers are a proxy and an agent whose responses have every field.
func documentedServers() map[string]documentedServer { return documentedServersBehind(nil) }

// documentedServersBehind are those whose requests pass a gate first; nil: all may ask.
func documentedServersBehind(gate *access.Gate) map[string]documentedServer {
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	failure := &messages.Failure{At: at, Reason: "r", Message: "m", Stack: "s"}
	tree := messages.ActorTree{At: at, Actors: []messages.ActorNode{{ID: "a", Kind: "k", Subject: "n1", State: "running", Busy: "b",
		BusySeconds: 1, LastFailure: failure, Orphan: true, Children: []messages.ActorNode{{ID: "b", Parent: "a", State: "failed"}}}},
		Ended: []messages.EndedActor{{ID: "c", Kind: "k", Subject: "n1", Reason: "r", LastFailure: failure}}}
	p := newFakeProxy()
	p.proxyCounts.Incidents = &messages.IncidentCounts{Open: 1}
	p.files = someFiles()
	p.collection, p.cluster, p.tree, p.configs = threeNodes(), someCluster(), tree, someConfigs()
	p.cluster.Verifies, p.cluster.Nodes[1].Verified = true, messages.Verified{Certificate: "c", Token: "t"}
	series := &p.collection.Nodes[0].Blocks[0].Families[0].Series[0]
	series.Values = []float64{math.NaN(), 1}
	withAllParts(p, at)
	_, a := newFakeAgent()
	a.Tree = func() messages.ActorTree { return tree }
	a.Health = func(context.Context) (messages.AgentHealth, error) {
		return messages.AgentHealth{
			Targets: []messages.TargetHealth{{Endpoint: "e", ContainerName: "c", LastScrape: at, Error: "e",
				LastError: &messages.TargetError{At: at, Kind: "timeout", Error: "e"}}, {Endpoint: "f"}},
			Telemetry: &messages.TelemetryHealth{LastRead: at},
			Journal:   &messages.JournalHealth{State: messages.JournalFailing, Since: at, Error: "e", Dir: "d", Oldest: at, Newest: at},
			Crashes:   &messages.CrashHealth{Records: 1, Sources: []messages.CrashSourceHealth{{Kind: "log", Path: "/l", Error: "e"}}},
			Incidents: &messages.IncidentsHealth{Storage: messages.IncidentsOnDisk, Error: "e", Rules: messages.RulesHealth{LoadedAt: at, Error: "e"}},
			Files:     someFiles(),
			Proxies:   []messages.ProxyHealth{{Address: "a", State: messages.LinkWaiting, Since: at, AgentID: "i", Error: "e"}},
			Events:    []messages.AgentEvent{{Event: "restart", Target: "t", At: at, Last: at, Detail: "d"}},
		}, nil
	}
	a.Read = func(context.Context, messages.Selection, func(int64) error) (messages.NodeAnswer, error) {
		return messages.NodeAnswer{}, nil
	}
	incidents := newFakeIncidents()
	p.Incidents, a.Incidents = incidents.Incidents, incidents.Incidents
	p.Access, a.Access = gate, gate
	p.Queries, a.Queries = queriesOver(p.CollectForQuery, p.QueryTargets(0, 0)), queriesOver(a.CollectForQuery, a.QueryTargets(0))
	return map[string]documentedServer{"proxy": {p.Handler(), p.Queries}, "agent": {a.Handler(), a.Queries}}
}

// withAllParts adds to the first node what answers to questions beside metrics may have.
func withAllParts(p *fakeProxy, at time.Time) {
	full := messages.DatabaseNode{Metadata: messages.DatabaseMetadata{Group: "g", Name: "n1", ID: 1, CreateRevision: 1, ModRevision: 1},
		Roles: []messages.DatabaseRole{messages.DatabaseRoleData}, GRPCAddress: "a", HTTPAddress: "b", CreatedAt: at, Labels: map[string]string{"a": "b"},
		PropertyRepairGossipGRPCAddress: "c", PropertySchemaGRPCAddress: "d", PropertySchemaGossipGRPCAddress: "e"}
	heard := slices.IndexFunc(p.cluster.Nodes, func(n messages.NodeStatus) bool { return !n.LastHeartbeat.IsZero() })
	full.Labels[labelPodName] = p.cluster.Nodes[heard].Identity.PodName
	p.collection.Nodes[0].Parts = []messages.Part{
		&messages.Topology{Nodes: []messages.DatabaseNode{full}, Calls: []messages.Call{{ID: "a-b", Source: "a", Target: "b"}}},
		&messages.Lifecycle{Groups: []messages.LifecycleGroup{{Name: "g"}}, Reports: []messages.LifecycleReport{{Filename: "f", JSON: "{}"}}},
		&messages.PressureProfile{ID: "p1", CapturedAt: at, Files: []messages.ProfileFile{{Type: "heap", Format: "pprof"}}}}
	p.crashes.Crashes = []messages.KnownCrash{{Crash: messages.Crash{FetchedAt: at, Files: []string{"f"},
		Panic: messages.PanicRecord{OccurredAt: at, Breadcrumbs: []messages.Breadcrumb{{Time: at}}}}}}
	p.crashes.Asked = *p.collection
	p.download = func(_ messages.Download, write func(*messages.ProfileChunk) error) error {
		return write(&messages.ProfileChunk{Data: []byte("profile"), Last: true})
	}
}

// Every route is described, and what is described is a route.
func TestOpenAPIHasTheRoutes(t *testing.T) {
	s := readSpec(t)
	for server, h := range documentedServers() {
		routes := []string{"/"}
		for _, m := range links.FindAllStringSubmatch(do(h, http.MethodGet, "/").Body.String(), -1) {
			if m[1] != "/api/v1" { // It is one line for all of it.
				routes = append(routes, m[1])
			}
		}
		for _, r := range h.queries {
			routes = append(routes, r.Path)
		}
		slices.Sort(routes)
		require.Equal(t, routes, s.serving(server), "docs/openapi.yaml must have the routes of the %s (x-served-by)", server)
	}
	for path, p := range s.Paths {
		if !strings.HasPrefix(path, apiPrefix) {
			require.Equal(t, p.Get, p.Head, path)
			require.True(t, p.Get != nil || p.Put != nil, path)
		}
		for method, o := range p.operations() {
			require.Contains(t, o.Responses, "405", "%s %s", method, path)
		}
	}
}

// The routes of the API of Prometheus have the methods and parameters that are described, and docs/api.md
// lists them.
func TestOpenAPIHasTheQueries(t *testing.T) {
	s := readSpec(t)
	text, err := os.ReadFile("../docs/api.md")
	require.NoError(t, err)
	for server, h := range documentedServers() {
		require.NotEmpty(t, h.queries)
		for _, r := range h.queries {
			p := s.Paths[r.Path]
			methods := slices.Sorted(maps.Keys(p.operations()))
			require.Equal(t, slices.DeleteFunc(slices.Sorted(slices.Values(r.Methods)), func(m string) bool { return m == http.MethodOptions }), methods, r.Path)
			if len(methods) > 1 {
				require.Equal(t, p.Get, p.Post, r.Path)
			}
			require.ElementsMatch(t, r.Params, slices.Collect(maps.Keys(s.parameters(t, server, r.Path))), r.Path)
			short := "`" + strings.ReplaceAll(strings.TrimPrefix(r.Path, "/api/v1"), "{name}", "NAME") + "`"
			require.True(t, strings.Contains(string(text), short), "docs/api.md must list %s", short)
		}
	}
}

// parametersOf returns the parameters that the route reads.
func parametersOf(h http.Handler, path string) map[string]specSchema {
	all := map[string]specSchema{}
	observe := paramObserver(func(name string, once bool, allowed []string) {
		s := all[name]
		if once {
			s.Type = "string"
		} else if s.Type == "" {
			s.Type, s.Items = "array", &specSchema{Type: "string"}
		}
		if s.Type == "string" {
			s.Items = nil
		}
		if len(allowed) > 0 && s.Items != nil {
			s.Items.Enum = allowed
		} else if len(allowed) > 0 {
			s.Enum = allowed
		}
		all[name] = s
	})
	r := httptest.NewRequest(http.MethodGet, onNode(path), nil)
	h.ServeHTTP(httptest.NewRecorder(), r.WithContext(context.WithValue(r.Context(), paramObserverKey{}, observe)))
	return all
}

// Every parameter is described, with the values that it may have, and is in an example.
func TestOpenAPIHasTheParameters(t *testing.T) {
	s := readSpec(t)
	examples, err := os.ReadFile("../docs/api.md")
	require.NoError(t, err)
	port := map[string]string{"proxy": "17901", "agent": "17902"}
	for server, h := range documentedServers() {
		for _, path := range h.ownPaths(s, server) {
			want := parametersOf(h, path)
			require.Equal(t, want, s.parameters(t, server, path), "docs/openapi.yaml must have the parameters of %s of the %s", path, server)
			for name := range want {
				example := regexp.MustCompile(`(?m)^\$ curl .*localhost:` + port[server] + inExample(path) + `\?([^ ]*&)?` + regexp.QuoteMeta(name) + `=`)
				require.Regexp(t, example, string(examples), "docs/api.md must have an example of %s?%s= of the %s", path, name, server)
			}
			example := regexp.MustCompile(`(?m)^\$ curl .*localhost:` + port[server] + inExample(path) + `([?' ]|$)`)
			if path != "/" || server == "proxy" {
				require.Regexp(t, example, string(examples), "docs/api.md must have an example of %s of the %s", path, server)
			}
		}
	}
}

// promQuery is right for all routes of the API of Prometheus.
const promQuery = "?query=fodc_agent_up&match[]=fodc_agent_up&start=1700000000&end=1700000010&step=10&limit=10"

// ask sends a request; to change incidents, as one on this machine that gives a reason.
func ask(h http.Handler, method, target string) *httptest.ResponseRecorder {
	if strings.HasPrefix(target, "/incidents") && method != http.MethodGet {
		return act(h, method, target, `{"reason":"r"}`)
	}
	return do(h, method, target)
}

// Responses have the fields that are described, and no others.
func TestOpenAPIHasTheAnswers(t *testing.T) {
	s, used := readSpec(t), map[string]bool{}
	for server, h := range documentedServers() {
		for _, path := range s.serving(server) {
			for _, query := range []string{"", "?format=json", "?format=x", "?strict=1", "?node=n9", "?role=%", "?diff=1", promQuery, promQuery + "&strict=1"} {
				for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch} {
					w := ask(h, method, onNode(path)+query)
					where := fmt.Sprintf("%s %s%s of the %s: %d", method, path, query, server, w.Code)
					p := s.Paths[path]
					operation := cmp.Or(p.operations()[method], p.Get, p.Post, p.Put)
					content := operation.Responses[fmt.Sprint(w.Code)].Content
					kind, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";")
					if w.Code != http.StatusOK {
						require.Contains(t, operation.Responses, fmt.Sprint(w.Code), where)
					}
					if w.Code == http.StatusNoContent {
						require.Empty(t, w.Body.String(), where)
						continue
					}
					if w.Code != http.StatusOK && content == nil { // It is a reference.
						ref := "error"
						if strings.HasPrefix(path, apiPrefix) && w.Code != http.StatusMethodNotAllowed {
							ref = "prometheus_error"
						}
						content = map[string]struct{ Schema specSchema }{contentJSON: {specSchema{Ref: ref}}}
					}
					require.Contains(t, content, kind, where)
					if kind != contentJSON {
						continue
					}
					var value any
					require.NoError(t, json.Unmarshal(w.Body.Bytes(), &value), where)
					require.NoError(t, s.check(content[kind].Schema, value, "", used), where)
				}
			}
		}
	}
	for name, schema := range s.Components.Schemas {
		for _, property := range slices.Sorted(maps.Keys(schema.Properties)) {
			if name == "proxy_health" && property == "error" || name == "prometheus" && property == "infos" {
				continue // only without a registry, and for some queries
			}
			require.True(t, used[name+"."+property], "no answer has %s of the schema %s", property, name)
		}
	}
}

// check tells whether the value is what the schema says, and notes which properties of
// named schemas it has.
func (s *spec) check(schema specSchema, value any, name string, used map[string]bool) error {
	if schema.Ref != "" {
		name = refName(schema.Ref)
		return s.check(s.Components.Schemas[name], value, name, used)
	}
	if schema.Type == "" && len(schema.OneOf) == 0 {
		return nil // anything
	}
	if len(schema.OneOf) > 0 {
		var errs []error
		for _, one := range schema.OneOf {
			err := s.check(one, value, name, used)
			if err == nil {
				return nil
			}
			errs = append(errs, err)
		}
		return fmt.Errorf("none of: %v", errs)
	}
	switch v := value.(type) {
	case map[string]any:
		return s.checkObject(schema, v, name, used)
	case []any:
		for i, item := range v {
			if schema.Items == nil {
				return fmt.Errorf("%v is not a %s", v, schema.Type)
			}
			if err := s.check(*schema.Items, item, "", used); err != nil {
				return fmt.Errorf("[%d]: %w", i, err)
			}
		}
		return wantType(schema, "array")
	case string:
		if len(schema.Enum) > 0 && !slices.Contains(schema.Enum, v) {
			return fmt.Errorf("%q is none of %q", v, schema.Enum)
		}
		return wantType(schema, "string")
	case float64:
		if schema.Type == "integer" && v == math.Trunc(v) {
			return nil
		}
		return wantType(schema, "number")
	case bool:
		return wantType(schema, "boolean")
	}
	if schema.Nullable {
		return nil
	}
	return fmt.Errorf("null, and not a %s", schema.Type)
}

func wantType(schema specSchema, is string) error {
	if schema.Type != is {
		return fmt.Errorf("a %s, and not a %s", is, schema.Type)
	}
	return nil
}

func (s *spec) checkObject(schema specSchema, object map[string]any, name string, used map[string]bool) error {
	for _, required := range schema.Required {
		if _, ok := object[required]; !ok {
			return fmt.Errorf("%s is missing", required)
		}
	}
	for key, value := range object {
		property, ok := schema.Properties[key]
		if !ok {
			if schema.Additional == nil {
				return fmt.Errorf("%s is not described", key)
			}
			property = *schema.Additional
		}
		used[name+"."+key] = true
		if err := s.check(property, value, "", used); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return wantType(schema, "object")
}
