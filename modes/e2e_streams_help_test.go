//go:build e2e && linux

package modes_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fodc/actors/actorstest"
	"fodc/messages"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

type fields = actorstest.Fields

// otherStreams are the streams beside that of metrics.
var otherStreams = []messages.Stream{messages.StreamTopology, messages.StreamLifecycle, messages.StreamCrashes, messages.StreamProfiles, messages.StreamSchema}

// streamPaths are where a proxy shows what comes on a stream.
var streamPaths = map[messages.Stream]string{
	messages.StreamTopology:  "/cluster/topology",
	messages.StreamLifecycle: "/cluster/lifecycle",
	messages.StreamCrashes:   "/diagnostics",
	messages.StreamProfiles:  "/pressure-profiles",
}

// fieldAgent is an agent that knows the baseline only, at the port of a proxy under test.
type fieldAgent struct {
	*actorstest.PlainAgent
	t   *testing.T
	pod string
}

// startFieldAgent registers an agent, which beats until the end of the test.
func startFieldAgent(t *testing.T, addr, pod string) *fieldAgent {
	t.Helper()
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	a, err := registerFieldAgent(t, conn, pod)
	require.NoError(t, err)
	return a
}

// registerFieldAgent registers an agent by a connection. It beats until the end of the test.
func registerFieldAgent(t *testing.T, conn *grpc.ClientConn, pod string) (*fieldAgent, error) {
	t.Helper()
	registration := fields{"nodeRole": "ROLE_DATA", "podName": pod, "labels": fields{"type": "hot"}}
	a, err := actorstest.RegisterPlainAgent(t.Context(), conn, registration)
	if err != nil {
		return nil, err
	}
	go func() {
		for beat := time.NewTicker(5 * time.Second); a.Beat(registration) == nil; {
			select {
			case <-beat.C:
			case <-a.Done():
				return
			}
		}
	}()
	return &fieldAgent{a, t, pod}, nil
}

// serve answers all questions on the streams well.
func (a *fieldAgent) serve(streams ...messages.Stream) *fieldAgent {
	for _, s := range streams {
		_, err := a.Serve(s, func(q fields) []fields { return wellAnswer(s, a.pod, q) })
		require.NoError(a.t, err)
	}
	return a
}

// answer opens a stream, and calls f with each question until the stream ends.
func (a *fieldAgent) answer(s messages.Stream, f func(stream *actorstest.PlainStream, q fields)) {
	stream, err := a.Open(s)
	require.NoError(a.t, err)
	go func() {
		for {
			q, err := stream.Receive()
			if err != nil {
				return
			}
			f(stream, q)
		}
	}()
}

// crashedAt is when all nodes of these tests have crashed, and their profiles were captured.
var crashedAt = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

const crashedAtID = "20260102T030405.000000000Z"

// profileOf returns a pod's profile: a gzip file of about the size that begins as a profile does. No two are alike.
func profileOf(pod, kind string, size int) []byte {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.NoCompression)
	if err != nil {
		panic(err)
	}
	content := bytes.Repeat([]byte("\n "+pod+" "+kind), size)
	_, err = z.Write(content[:size])
	if err := errors.Join(err, z.Close()); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// wellAnswer is what a well agent of the field answers.
func wellAnswer(s messages.Stream, pod string, q fields) []fields {
	now := time.Now().UTC().Format(time.RFC3339Nano)
	switch s {
	case messages.StreamMetrics:
		return []fields{{"timestamp": now, "metrics": []any{fields{"name": "played", "value": 1, "type": 1,
			"labels": fields{"pod_name": pod, "node_role": "ROLE_DATA", "node_type": "hot"}}}}}
	case messages.StreamTopology:
		return []fields{{"timestamp": now, "topology": fields{
			"nodes": []any{databaseNode(pod, 2), databaseNode("liaison-x", 3)},
			"calls": []any{fields{"id": pod + "-liaison-x", "source": pod, "target": "liaison-x"}}}}}
	case messages.StreamLifecycle:
		return []fields{{"timestamp": now, "podName": pod, "lifecycleData": fields{
			"reports": []any{fields{"filename": pod + ".json", "reportJson": `{"of":"` + pod + `"}`}},
			"groups":  []any{lifecycleGroup("sw_"+pod, pod), lifecycleGroup("shared", pod)}}}}
	case messages.StreamCrashes:
		return []fields{crashFields(pod, "first", now), crashFields(pod, "second", now)}
	case messages.StreamSchema:
		return []fields{{"group": fields{"group": "shared", "objects": []any{fields{"kind": "measure", "name": "m", "fingerprint": "7"}}}}, {"done": true}}
	}
	if fetch, ok := q["fetchProfile"].(fields); ok {
		return chunksOf(fetch, profileOf(pod, fetch["type"].(string), wellProfileContent))
	}
	return []fields{profileRecord(pod, now), {"listComplete": fields{"requestId": actorstest.Field(q, "listProfiles.requestId")}}}
}

// wellProfileBytes is the size of the profiles of a well agent: two whole chunks and a bit.
var wellProfileBytes = len(profileOf("", "", wellProfileContent))

const wellProfileContent = 2<<20 + 17

func databaseNode(name string, role int) fields {
	return fields{"metadata": fields{"name": name}, "roles": []any{role}, "grpcAddress": name + ":17912",
		"createdAt": crashedAt.Format(time.RFC3339), "labels": fields{"pod_name": name}}
}

func lifecycleGroup(name, pod string) fields {
	return fields{"name": name, "catalog": "CATALOG_MEASURE", "resourceOpts": fields{"shardNum": 2, "segmentInterval": fields{"unit": 2, "num": 1}},
		"dataInfo": []any{fields{"node": databaseNode(pod, 2), "dataSizeBytes": "4294967296"}}}
}

func crashFields(pod, dir, fetched string) fields {
	return fields{"fetchedAt": fetched, "sourceEndpoint": "of " + pod, "artifactDir": dir, "files": []any{"panic.json", "deep-dump.json"},
		"panicRecord": fields{"occurredAt": crashedAt.Format(time.RFC3339), "component": "data", "panicValue": dir + " panic of " + pod,
			"goroutineStack": "goroutine 1 [running]:", "breadcrumbs": []any{fields{"stage": "flush", "component": "data"}}}}
}

func profileRecord(pod, at string) fields {
	file := func(kind string) fields {
		return fields{"type": kind, "filename": kind + ".pprof", "filepath": "/profiles/" + crashedAtID + "/" + kind + ".pprof",
			"format": "pprof", "sizeBytes": fmt.Sprint(wellProfileBytes)}
	}
	return fields{"record": fields{"profileId": crashedAtID, "capturedAt": at, "rssBytes": "90", "cgroupLimitBytes": "100",
		"triggerPercent": 75, "thresholdBytes": "75", "profiles": []any{file("heap"), file("goroutine")}}}
}

// chunksOf returns the chunks of a profile that was asked for.
func chunksOf(fetch fields, b []byte) (all []fields) {
	for at := 0; at < len(b); at += 1 << 20 {
		end := min(at+1<<20, len(b))
		all = append(all, fields{"chunk": fields{"requestId": fetch["requestId"], "profileId": fetch["profileId"], "type": fetch["type"],
			"data": b[at:end], "last": end == len(b)}})
	}
	return all
}

// The answers of a proxy, as far as tests look at them.
type (
	topologyAnswer struct {
		Nodes []struct {
			Metadata      struct{ Name string }
			Roles         []string
			Labels        map[string]string
			Status        string
			LastHeartbeat time.Time `json:"last_heartbeat"`
		}
		Calls []struct{ ID, Source, Target string }
	}
	lifecycleAnswer struct {
		Groups []struct {
			Name string
			Data []struct {
				Node struct{ Metadata struct{ Name string } }
				Size string `json:"data_size_bytes"`
			} `json:"data_info"`
			Errors      []string
			Consistency *struct{ Status string } `json:"schema_consistency"`
		}
		Statuses []struct {
			PodName string `json:"pod_name"`
			Reports []struct {
				Filename string
				JSON     string `json:"report_json"`
			}
		} `json:"lifecycle_statuses"`
		Summary struct {
			Total, Requested, Responded int
			NotResponded                int `json:"not_responded"`
		} `json:"agent_summary"`
		Error string
	}
	crashAnswer struct {
		PodName     string `json:"pod_name"`
		NodeID      string `json:"node_id"`
		Role        string
		AgentID     string   `json:"agent_id"`
		ArtifactDir string   `json:"artifact_dir"`
		Files       []string `json:"files"`
		Panic       struct {
			OccurredAt      time.Time `json:"occurred_at"`
			Component       string
			PanicValue      string            `json:"panic_value"`
			GoroutineStack  string            `json:"goroutine_stack"`
			ProcessMetadata map[string]string `json:"process_metadata"`
		} `json:"panic_record"`
	}
	profileAnswer struct {
		PodName   string `json:"pod_name"`
		NodeID    string `json:"node_id"`
		Role      string
		ProfileID string `json:"profile_id"`
		RSS       uint64 `json:"rss_bytes"`
		Profiles  []struct {
			Type, Filename, Filepath string
			Size                     int64 `json:"size_bytes"`
		}
	}
)

// asked is an answer of a proxy.
type asked struct {
	status  int
	body    string
	missing map[string]string // node -> reason
	took    time.Duration
}

// askProxy asks a proxy, and reads the answer into to, unless that is nil.
func askProxy(addr, path string, to any) (a asked, err error) {
	begin := time.Now()
	var header http.Header
	if a.status, a.body, header, err = get(addr, path); err != nil {
		return a, err
	}
	a.took, a.missing = time.Since(begin), map[string]string{}
	for item := range strings.SplitSeq(header.Get("X-Fodc-Missing"), ",") {
		if node, reason, found := strings.Cut(item, "="); found {
			a.missing[node] = reason
		}
	}
	if to != nil && a.status == http.StatusOK {
		err = json.Unmarshal([]byte(a.body), to)
	}
	return a, err
}

// mustAsk is askProxy for answers with the status 200.
func mustAsk(t *testing.T, addr, path string, to any) asked {
	t.Helper()
	a, err := askProxy(addr, path, to)
	require.NoError(t, err, path)
	require.Equal(t, http.StatusOK, a.status, "%s: %.300s", path, a.body)
	return a
}

// seenOf asks a proxy on the path of a stream, and returns what each pod has said there, as one text a record, and the
// answer itself.
func seenOf(addr string, s messages.Stream) (seen map[string][]string, a asked, err error) {
	seen = map[string][]string{}
	add := func(pod, what string) { seen[pod] = append(seen[pod], what) }
	switch s {
	case messages.StreamTopology:
		var v topologyAnswer
		a, err = askProxy(addr, streamPaths[s], &v)
		for _, c := range v.Calls {
			add(c.Source, "calls "+c.Target)
		}
	case messages.StreamLifecycle:
		var v lifecycleAnswer
		a, err = askProxy(addr, streamPaths[s], &v)
		for _, st := range v.Statuses {
			for _, r := range st.Reports {
				add(st.PodName, r.Filename)
			}
		}
		for _, g := range v.Groups {
			for _, d := range g.Data {
				add(d.Node.Metadata.Name, g.Name+" "+d.Size)
			}
		}
	case messages.StreamCrashes:
		var v []crashAnswer
		a, err = askProxy(addr, streamPaths[s], &v)
		for _, c := range v {
			add(c.PodName, c.ArtifactDir+": "+c.Panic.PanicValue)
		}
	case messages.StreamProfiles:
		var v []profileAnswer
		a, err = askProxy(addr, streamPaths[s], &v)
		for _, p := range v {
			for _, f := range p.Profiles {
				add(p.PodName, fmt.Sprintf("%s %d", f.Type, f.Size))
			}
		}
	}
	return seen, a, err
}

// wellSeen is what seenOf returns of a well agent of the field.
func wellSeen(s messages.Stream, pod string) []string {
	switch s {
	case messages.StreamTopology:
		return []string{"calls liaison-x"}
	case messages.StreamLifecycle:
		return []string{pod + ".json", "shared 4294967296", "sw_" + pod + " 4294967296"}
	case messages.StreamCrashes:
		return []string{"first: first panic of " + pod, "second: second panic of " + pod}
	default:
		return []string{fmt.Sprint("heap ", wellProfileBytes), fmt.Sprint("goroutine ", wellProfileBytes)}
	}
}

// eachAtOnce calls f for each stream that HTTP shows, at the same time.
func eachAtOnce(f func(s messages.Stream)) {
	var all sync.WaitGroup
	for s := range streamPaths {
		all.Go(func() { f(s) })
	}
	all.Wait()
}

// atOnceAll calls all of the functions at the same time.
func atOnceAll(all []func()) {
	var group sync.WaitGroup
	for _, f := range all {
		group.Go(f)
	}
	group.Wait()
}

// awaitWell waits until a proxy shows on all streams what the pods of the field say, and that nobody is missing.
func awaitWell(t *testing.T, proxy *process, pods ...string) {
	t.Helper()
	for s := range streamPaths {
		eventually(t, string(s), func() error {
			seen, a, err := seenOf(proxy.addr("http"), s)
			if err == nil && len(a.missing) > 0 {
				err = fmt.Errorf("missing: %v", a.missing)
			}
			for _, pod := range pods {
				if err == nil && fmt.Sprint(seen[pod]) != fmt.Sprint(wellSeen(s, pod)) {
					err = fmt.Errorf("%s says %q, want %q", pod, seen[pod], wellSeen(s, pod))
				}
			}
			return err
		})
	}
}

// fieldProxy is a proxy that knows the baseline only, for agents under test.
type fieldProxy struct {
	*actorstest.PlainProxy
	addr string

	mu      sync.Mutex
	refused []string // the methods that were called, and that it does not know
}

func (p *fieldProxy) refusals() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.refused)
}

// startFieldProxy starts a proxy that answers Unimplemented on the refused streams.
func startFieldProxy(t *testing.T, refused ...messages.Stream) *fieldProxy {
	t.Helper()
	p := &fieldProxy{PlainProxy: actorstest.NewPlainProxy(refused...)}
	server := grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, g grpc.ServerStream) error {
		method, _ := grpc.MethodFromServerStream(g)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.refused = append(p.refused, method)
		return status.Error(codes.Unimplemented, "unknown method "+method)
	}))
	p.Register(server)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
	p.addr = l.Addr().String()
	return p
}

// session waits for the n-th session.
func (p *fieldProxy) session(t *testing.T, n int) *actorstest.PlainSession {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s, err := p.Session(ctx, n)
	require.NoError(t, err)
	return s
}

// collect asks on a stream, and waits for the answer.
func collect(t *testing.T, s *actorstest.PlainSession, of messages.Stream, question fields, enough func([]fields) bool) []fields {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	list, err := s.Collect(ctx, of, question, enough)
	require.NoError(t, err, "%s: %v", of, list)
	return list
}
