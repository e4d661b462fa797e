package httpapi

import (
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

	"fodc/messages"

	"github.com/stretchr/testify/require"
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
	ServedBy  []string `yaml:"x-served-by"`
	Get, Head *specOperation
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
	op, all := s.Paths[path].Get, map[string]specSchema{}
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
func onNode(path string) string { return strings.ReplaceAll(path, nodeIDParam, "n1") }

// inExample is a pattern of the path in a command of docs/api.md.
func inExample(path string) string {
	return strings.ReplaceAll(regexp.QuoteMeta(path), regexp.QuoteMeta(nodeIDParam), "[^/]+")
}

// documentedServers are a proxy and an agent whose responses have every field.
func documentedServers() map[string]http.Handler {
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	failure := &messages.Failure{At: at, Reason: "r", Message: "m", Stack: "s"}
	tree := messages.ActorTree{At: at, Actors: []messages.ActorNode{{ID: "a", Kind: "k", Subject: "n1", State: "running", Busy: "b",
		BusySeconds: 1, LastFailure: failure, Orphan: true, Children: []messages.ActorNode{{ID: "b", Parent: "a", State: "failed"}}}},
		Ended: []messages.EndedActor{{ID: "c", Kind: "k", Subject: "n1", Reason: "r", LastFailure: failure}}}
	p := newFakeProxy()
	p.collection, p.cluster, p.tree, p.configs = threeNodes(), someCluster(), tree, someConfigs()
	series := &p.collection.Nodes[0].Blocks[0].Families[0].Series[0]
	series.Values = []float64{math.NaN(), 1}
	agent, a := newFakeAgent()
	a.Tree = func() messages.ActorTree { return tree }
	a.Health = func(context.Context) (messages.AgentHealth, error) {
		return messages.AgentHealth{
			Targets: []messages.TargetHealth{{Endpoint: "e", ContainerName: "c", LastScrape: at, Error: "e",
				LastError: &messages.TargetError{At: at, Kind: "timeout", Error: "e"}}, {Endpoint: "f"}},
			Telemetry: &messages.TelemetryHealth{LastRead: at},
			Journal:   &messages.JournalHealth{State: messages.JournalFailing, Since: at, Error: "e", Dir: "d", Oldest: at, Newest: at},
			Proxies:   []messages.ProxyHealth{{Address: "a", State: messages.LinkWaiting, Since: at, AgentID: "i", Error: "e"}},
			Events:    []messages.AgentEvent{{Event: "restart", Target: "t", At: at, Last: at, Detail: "d"}},
		}, nil
	}
	return map[string]http.Handler{"proxy": p.handler, "agent": agent}
}

// Every route is described, and what is described is a route.
func TestOpenAPIHasTheRoutes(t *testing.T) {
	s := readSpec(t)
	for server, h := range documentedServers() {
		routes := []string{"/"}
		for _, m := range links.FindAllStringSubmatch(do(h, http.MethodGet, "/").Body.String(), -1) {
			routes = append(routes, m[1])
		}
		slices.Sort(routes)
		require.Equal(t, routes, s.serving(server), "docs/openapi.yaml must have the routes of the %s (x-served-by)", server)
	}
	for path, p := range s.Paths {
		require.NotNil(t, p.Get, path)
		require.Equal(t, p.Get, p.Head, "%s: every route takes GET and HEAD", path)
		require.Contains(t, p.Get.Responses, "405", path)
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
		if len(allowed) > 0 {
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
		for _, path := range s.serving(server) {
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

// Responses have the fields that are described, and no others.
func TestOpenAPIHasTheAnswers(t *testing.T) {
	s, used := readSpec(t), map[string]bool{}
	for server, h := range documentedServers() {
		for _, path := range s.serving(server) {
			for _, query := range []string{"", "?format=json", "?format=x", "?strict=1", "?node=n9", "?role=%", "?diff=1"} {
				for _, method := range []string{http.MethodGet, http.MethodPost} {
					w := do(h, method, onNode(path)+query)
					where := fmt.Sprintf("%s %s%s of the %s: %d", method, path, query, server, w.Code)
					content := s.Paths[path].Get.Responses[fmt.Sprint(w.Code)].Content
					kind, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";")
					if w.Code != http.StatusOK {
						content = map[string]struct{ Schema specSchema }{contentJSON: {specSchema{Ref: "error"}}}
						require.Contains(t, s.Paths[path].Get.Responses, fmt.Sprint(w.Code), where)
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
			if name == "proxy_health" && property == "error" {
				continue // only without a registry
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
