//go:build e2e && linux

package modes_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// The attacks of the test below.
const (
	hostileMemory = 1 << 30 // of the proxy's cgroup, in bytes
	hostileTime   = 15 * time.Second
	// hostileNodes times hostileSeries are a million series.
	hostileNodes  = 20
	hostileSeries = 50_000
	hostileSteady = 50
	// hostilePause is the least time from one attack of a client to its next one. Without it the
	// test would measure how busy the attackers make the machine.
	hostilePause = time.Second
	// hostileScrapes is the interval of the scrapes that nobody may disturb, hostileLimit by when
	// 99 of 100 of them have ended. The machine is busy with the attackers themselves: make
	// bench-query measures by how much scrapes become slower.
	hostileScrapes = 50 * time.Millisecond
	hostileLimit   = 10 * time.Second
)

// memoryLimits counts control groups.
var memoryLimits atomic.Int64

// inMemoryLimit returns a command line that runs the one behind it in a cgroup with the limit,
// and how much the kernel has counted there at most; where that cannot be, an empty one.
func inMemoryLimit(t *testing.T, limit int) (command []string, peak func() string) {
	t.Helper()
	for _, version := range []struct{ dir, limit, peak string }{
		{"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.max_usage_in_bytes"},
		{"/sys/fs/cgroup", "memory.max", "memory.peak"},
	} {
		if _, err := os.Stat(filepath.Join(version.dir, "cgroup.procs")); err != nil {
			continue
		}
		dir := filepath.Join(version.dir, fmt.Sprintf("fodc-e2e-%d-%d", os.Getpid(), memoryLimits.Add(1)))
		if os.Mkdir(dir, 0o755) != nil {
			continue
		}
		t.Cleanup(func() {
			eventually(t, "an empty cgroup", func() error { return os.Remove(dir) })
		})
		if os.WriteFile(filepath.Join(dir, version.limit), []byte(strconv.Itoa(limit)), 0o600) != nil {
			continue
		}
		return []string{"sh", "-c", `echo $$ > "$0" && exec "$@"`, filepath.Join(dir, "cgroup.procs")}, func() string {
			b, _ := os.ReadFile(filepath.Join(dir, version.peak))
			return strings.TrimSpace(string(b))
		}
	}
	return nil, func() string { return "no cgroup can be made here" }
}

// wireBytes is a message as it is on the wire, so that its sender costs next to nothing.
type wireBytes []byte

type wireCodec struct{ encoding.CodecV2 }

func (c wireCodec) Marshal(v any) (mem.BufferSlice, error) {
	if b, ok := v.(wireBytes); ok {
		return mem.BufferSlice{mem.SliceBuffer(b)}, nil
	}
	return c.CodecV2.Marshal(v)
}

// playSwarm plays agents of this version that have many series of one family.
func playSwarm(t *testing.T, addr string) {
	t.Helper()
	family := &wire.Family{Name: "swarm", Type: wire.MetricType_METRIC_TYPE_GAUGE, Help: "Too much."}
	for i := range hostileSeries {
		family.LabelTexts, family.Values = append(family.LabelTexts, fmt.Sprintf(`group="g%d",series="%06d"`, i%10, i)), append(family.Values, float64(i))
	}
	series, err := proto.Marshal(&wire.Block{Families: []*wire.Family{family}})
	require.NoError(t, err)
	for i := range hostileNodes {
		playSwarmOf(t, addr, fmt.Sprintf("swarm-%02d", i), series)
	}
}

// playSwarmOf plays one of them. The series are a block, but for its time.
func playSwarmOf(t *testing.T, addr, node string, series []byte) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	s := strangerFrom(t, "127.0.0.1", addr)
	first := &wire.RegisterAgentRequest{NodeId: node, NodeRole: "swarm", Capabilities: []wire.Capability{wire.Capability_CAPABILITY_COLUMNAR_ANSWERS}}
	reg, welcome := s.register(ctx, first)
	require.True(t, welcome.GetSuccess(), welcome.GetMessage())
	go func() {
		for beat := time.NewTicker(5 * time.Second); reg.Send(first) == nil; <-beat.C {
		}
	}()
	answers, err := s.client.StreamMetrics(withAgentID(ctx, welcome.GetAgentId()), grpc.ForceCodecV2(wireCodec{encoding.GetCodecV2("proto")}))
	require.NoError(t, err)
	go func() {
		for {
			asked, err := answers.Recv()
			if err != nil {
				return
			}
			// A message is what its parts are, one behind the other.
			frame, _ := proto.Marshal(&wire.StreamMetricsRequest{RequestId: asked.GetRequestId()})
			if names := asked.GetNames(); len(names) == 0 || slices.Contains(names, "swarm") {
				at, _ := proto.Marshal(&wire.Block{TimeDeltas: []int64{time.Now().UnixMilli()}})
				const blocks = 101 // the number of the field
				frame = protowire.AppendTag(frame, blocks, protowire.BytesType)
				frame = protowire.AppendVarint(frame, uint64(len(at)+len(series)))
				frame = append(append(frame, at...), series...)
			}
			if answers.SendMsg(wireBytes(frame)) != nil {
				return
			}
		}
	}()
}

// attack is a request that nobody should send.
type attack struct {
	name, path, form string
	// leaves is after how long the client goes away; 0: it waits for the answer.
	leaves time.Duration
}

func attacks() []attack {
	now := time.Now().Unix()
	at := func(name, expr string) attack {
		return attack{name: name, path: "query", form: url.Values{"query": {expr}}.Encode()}
	}
	over := func(name, expr, start, step string) attack {
		return attack{name: name, path: "query_range", form: url.Values{"query": {expr}, "start": {start}, "end": {fmt.Sprint(now)}, "step": {step}}.Encode()}
	}
	leaving := func(a attack, after time.Duration) attack {
		a.leaves = after
		return a
	}
	hourAgo := fmt.Sprint(now - 3600)
	return []attack{
		at("parentheses", strings.Repeat("(", 30_000)+"steady"+strings.Repeat(")", 30_000)),
		at("more parentheses", strings.Repeat("(", 1<<20)+"steady"+strings.Repeat(")", 1<<20)),
		at("minuses", strings.Repeat("-", 1<<20)+"steady"),
		at("sums of sums", strings.Repeat("sum(", 100_000)+"steady"+strings.Repeat(")", 100_000)),
		at("a long sum", "steady"+strings.Repeat("+steady", 100_000)),
		over("a tiny step", "steady", "0", "0.001"),
		over("as many steps as there may be", "swarm", fmt.Sprint(now-11_000), "1"),
		over("all there is, often", `{__name__=~".+"}`, hourAgo, "1"),
		at("a subquery of a year", "max_over_time(steady[1y:1ms])"),
		at("subqueries of subqueries", "max_over_time(max_over_time(max_over_time(steady[1d:1s])[1d:1s])[1d:1s])"),
		at("a regular expression of repeats", `{__name__=~"((((a{0,10}){0,10}){0,10}){0,10}){0,10}b"}`),
		at("a regular expression of many words", `{__name__=~"`+strings.Repeat("(a|b|c|d|e)?", 5000)+`"}`),
		at("a regular expression of labels", `label_replace(swarm, "x", "$1", "series", "(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)")`),
		at("a regular expression for each series", `swarm{series=~"(.*)(.*)(.*)(.*)(.*)(.*)x"}`),
		at("a million series", "swarm"),
		at("a million series, counted", "count(swarm)"),
		at("a million series, sorted", "sort(swarm)"),
		at("a million series, joined", "swarm * on (node_id, series) swarm"),
		at("pairs without end", "steady * on () group_left () steady"),
		{name: "series", path: "series", form: url.Values{"match[]": {`{__name__=~".+"}`}}.Encode()},
		{name: "labels", path: "labels", form: url.Values{"match[]": {"swarm", "steady", `{node_id=~".+"}`}}.Encode()},
		leaving(at("leaves at once", "count(swarm)"), time.Millisecond),
		leaving(at("leaves soon", "count(swarm)"), 100*time.Millisecond),
		leaving(over("leaves a range", "swarm", hourAgo, "1"), time.Second),
	}
}

// attackers are clients, and how often what came out.
type attackers struct {
	mu       sync.Mutex
	outcomes map[string]map[string]int
	longest  map[string]time.Duration
}

// run sends attacks until ctx ends, the next one at the earliest after hostilePause.
func (a *attackers) run(ctx context.Context, addr string, list []attack) {
	for pace := time.NewTicker(hostilePause); ; {
		select {
		case <-ctx.Done():
			pace.Stop()
			return
		case <-pace.C:
		}
		one := list[rand.IntN(len(list))]
		begin := time.Now()
		outcome := one.send(ctx, addr)
		took := time.Since(begin)
		a.mu.Lock()
		if a.outcomes[one.name] == nil {
			a.outcomes[one.name] = map[string]int{}
		}
		a.outcomes[one.name][outcome]++
		a.longest[one.name] = max(a.longest[one.name], took)
		a.mu.Unlock()
	}
}

func (a attack) send(ctx context.Context, addr string) string {
	if a.leaves > 0 {
		leaving, cancel := context.WithTimeout(ctx, a.leaves)
		defer cancel()
		ctx = leaving
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/api/v1/"+a.path, strings.NewReader(a.form))
	if err != nil {
		return err.Error()
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultClient.Do(request)
	switch {
	case ctx.Err() != nil:
		return "left"
	case err != nil:
		return "cut off"
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	if err != nil && !errors.Is(err, context.Canceled) && ctx.Err() == nil {
		return fmt.Sprintf("%d, cut off", answer.StatusCode)
	}
	return fmt.Sprint(answer.StatusCode)
}

// scrapes are those of the steady nodes.
type scrapes struct {
	took []time.Duration
	// partial counts the pages that lack a node, wrong are answers that are no pages.
	partial int
	wrong   []string
}

func scrapeUntil(ctx context.Context, addr string) (all scrapes) {
	for pace := time.NewTicker(hostileScrapes); ; {
		select {
		case <-ctx.Done():
			pace.Stop()
			return all
		case <-pace.C:
		}
		begin := time.Now()
		status, body, _, err := get(addr, "/metrics?role=ROLE_DATA&role=liaison")
		all.took = append(all.took, time.Since(begin))
		switch got := strings.Count(body, "\nsteady{"); {
		case err != nil || status != http.StatusOK:
			all.wrong = append(all.wrong, fmt.Sprintf("%v, status %d: %.200s", err, status, body))
		case got != hostileSteady*loadSeries:
			all.partial++
		}
	}
}

func (s scrapes) p99() time.Duration {
	sorted := slices.Sorted(slices.Values(s.took))
	return sorted[len(sorted)*99/100]
}

// Two hundred clients ask what nobody should, some leave meanwhile and some hardly read: scrapes
// of /metrics go on, memory stays within its limit, no collection is left, and no agent notices.
func TestE2EQueryHostile(t *testing.T) {
	limited, peak := inMemoryLimit(t, hostileMemory)
	proxy := startCommand(t, append(limited, binary, "proxy", "--grpc-listen-addr", "127.0.0.1:0", "--http-listen-addr", "127.0.0.1:0")...)
	grpcAddr, addr := proxy.addr("grpc"), proxy.addr("http")
	startAgent(t, proxy, "n1", "liaison", startNode(t, pageA).endpoint())
	playSteadyAgents(t, grpcAddr, hostileSteady)
	playSwarm(t, grpcAddr)
	awaitPage(t, proxy, "/metrics?node_id=n1", `requests_total{path="/a",node_id="n1"`)

	quietFor, cancel := context.WithTimeout(t.Context(), hostileTime/5)
	defer cancel()
	quiet := scrapeUntil(quietFor, addr)
	before := usageOf(t, proxy)

	attackFor, cancel := context.WithTimeout(t.Context(), hostileTime)
	defer cancel()
	var all sync.WaitGroup
	clients := &attackers{outcomes: map[string]map[string]int{}, longest: map[string]time.Duration{}}
	list := attacks()
	for range 200 {
		all.Go(func() { clients.run(attackFor, addr, list) })
	}
	for range slowClients {
		startSlowClient(t, addr, "/api/v1/query?query=swarm")
	}
	var memory []int
	all.Go(func() { memory = watchMemory(attackFor, t, proxy) })
	busy := scrapeUntil(attackFor, addr)
	all.Wait()

	for _, name := range slices.Sorted(maps.Keys(clients.outcomes)) {
		t.Logf("%-40s %v, the longest %s", name, clients.outcomes[name], clients.longest[name].Round(time.Millisecond))
	}
	t.Logf("99 of 100 scrapes: %s quiet, %s under attack, %.1f times; %d scrapes, %d of them lack a node", quiet.p99(), busy.p99(),
		float64(busy.p99())/float64(quiet.p99()), len(busy.took), busy.partial)
	t.Logf("resident memory: %d MiB before, %d MiB at most; the cgroup's peak: %s of %d", before.residentKiB>>10, slices.Max(append(memory, 0))>>10, peak(), hostileMemory)
	require.True(t, proxy.runs(), "the proxy is gone")
	require.Empty(t, append(quiet.wrong, busy.wrong...))
	require.Zero(t, quiet.partial)
	require.Less(t, busy.partial, len(busy.took)/2)
	require.Less(t, busy.p99(), hostileLimit)
	requireNoCollections(t, proxy)
	for id, status := range statuses(t, proxy) {
		require.Equal(t, "online", status, id)
	}
	self := page(t, addr, "/metrics/self")
	require.NotRegexp(t, `fodc_actors\{kind="collect"\} [1-9]`, self)
	for line := range strings.Lines(self) {
		if strings.HasPrefix(line, "fodc_proxy_sessions_ended_total") || strings.HasPrefix(line, "fodc_proxy_http_panics_total") {
			require.True(t, strings.HasSuffix(line, " 0\n"), line)
		}
	}
	eventually(t, "queries are answered again", func() error {
		a := ask(t, addr, "query", "query", "sum(fodc_agent_up)")
		if a.code != http.StatusOK || len(a.Warnings) > 0 || len(a.Data.Result) != 1 || a.Data.Result[0].Value.v != 1+hostileSteady+hostileNodes {
			return fmt.Errorf("%d, %s, %q, %v", a.code, a.Error, a.Warnings, a.Data.Result)
		}
		return nil
	})
}

// requireNoCollections waits until no collection is under way.
func requireNoCollections(t *testing.T, proxy *process) {
	t.Helper()
	took := within(t, 2*patience, "all collections are over", func() error {
		if n := actorsOf(t, proxy, "http", "collect"); n != 0 {
			return fmt.Errorf("%d collections", n)
		}
		return nil
	})
	t.Logf("no collection is left after %s", took)
}
