package promapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"fodc/messages"
	"fodc/recorder/promstore"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

func TestForms(t *testing.T) {
	h := serve(New(testConfig(loaded(t))))
	f := func(contentType, target, body string, status int, contains string) {
		t.Helper()
		r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, status, w.Code, w.Body)
		require.Contains(t, w.Body.String(), contains)
		envelopeOf(t, w)
	}
	const form = "application/x-www-form-urlencoded"
	f(form, "/api/v1/query", "query=1%2B1", 200, `"2"`)
	f(form+"; charset=utf-8", "/api/v1/query", "query=1%2B1", 200, `"2"`)
	// What is in the form goes before what is in the URL, and is added to it.
	f(form, "/api/v1/query?query=7", "query=1%2B1", 200, `"2"`)
	f(form, "/api/v1/query?query=7", "", 200, `"7"`)
	f(form, "/api/v1/labels?match[]=temperature", "match[]=latency_bucket", 200, `["__name__","le","node_id","zone"]`)
	f("application/json", "/api/v1/query?query=7", `{"query": "8"}`, 200, `"7"`)
	f("text/plain", "/api/v1/query", "query=8", 400, "no expression found in input")

	f(form, "/api/v1/query", "query=%zz", 400, `error parsing form values: invalid URL escape`)
	f(form, "/api/v1/query", "query=a;b", 400, `error parsing form values: invalid semicolon separator in query`)
	f(form, "/api/v1/query?a=%zz", "query=1", 400, `error parsing form values: invalid URL escape`)
	f(form, "/api/v1/query", "query="+strings.Repeat("a", maxBodyBytes), 413, `error parsing form values: the body is over the limit of 1048576 bytes`)

	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	require.NoError(t, m.WriteField("query", "1+1"))
	file, err := m.CreateFormFile("file", "name")
	require.NoError(t, err)
	_, err = file.Write(make([]byte, 100_000))
	require.NoError(t, err)
	require.NoError(t, m.Close())
	f(m.FormDataContentType(), "/api/v1/query", b.String(), 200, `"2"`)
	f(m.FormDataContentType(), "/api/v1/query", b.String()[:1000], 400, `error parsing form values`)
	f("multipart/form-data", "/api/v1/query", b.String(), 400, `error parsing form values`)
}

func TestMethods(t *testing.T) {
	a := New(testConfig(loaded(t)))
	for _, route := range a.Routes() {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE"} {
			r := httptest.NewRequest(method, strings.ReplaceAll(route.Path, "{name}", "node_id"), nil)
			r.SetPathValue("name", "node_id")
			r.Header.Set("Origin", "https://example.org")
			w := httptest.NewRecorder()
			route.Serve(w, r)
			allowed := slices.Contains(route.Methods, method)
			require.Equal(t, !allowed, w.Code == http.StatusMethodNotAllowed, "%s %s", method, route.Path)
			if !allowed || method == http.MethodOptions {
				require.Equal(t, strings.Join(route.Methods, ", "), w.Header().Get("Allow"))
			}
			if method == http.MethodOptions {
				require.Equal(t, http.StatusNoContent, w.Code)
				require.Empty(t, w.Body)
			}
			// A page of another site that somebody looks at cannot read anything.
			require.Empty(t, w.Header().Get("Access-Control-Allow-Origin"))
		}
		require.NotEmpty(t, route.About)
	}
}

// The parameters of a route are those that it reads.
func TestParams(t *testing.T) {
	s := loaded(t)
	for _, route := range New(testConfig(s)).Routes() {
		read := map[string]bool{}
		ctx := context.WithValue(t.Context(), paramObserverKey{}, paramObserver(func(name string) { read[name] = true }))
		for _, query := range []string{"", "query=up&start=1&end=2&step=1&match[]=up"} {
			r := httptest.NewRequest(route.Methods[0], strings.ReplaceAll(route.Path, "{name}", "node_id")+"?"+query, bytes.NewReader([]byte{0}))
			r.SetPathValue("name", "node_id")
			route.Serve(httptest.NewRecorder(), r.WithContext(ctx))
		}
		require.ElementsMatch(t, route.Params, slices.Collect(keys(read)), route.Path)
	}
}

func keys(m map[string]bool) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func TestStrict(t *testing.T) {
	s := loaded(t)
	s.seen = &promstore.Options{}
	h := serve(New(testConfig(s)))
	for _, target := range []string{
		"/api/v1/query?query=up", "/api/v1/query_range?query=up&start=1&end=2&step=1", "/api/v1/series?match[]=up",
		"/api/v1/labels?", "/api/v1/label/node_id/values?", "/api/v1/metadata?", "/api/v1/targets/metadata?",
	} {
		for value, want := range map[string]bool{"": false, "0": false, "false": false, "1": true, "true": true} {
			*s.seen = promstore.Options{Strict: !want}
			require.Equal(t, http.StatusOK, get(t, h, target+"&strict="+value, nil).Code)
			require.Equal(t, want, s.seen.Strict, "%s %q", target, value)
		}
		w := get(t, h, target+"&strict=yes", nil)
		require.Equal(t, http.StatusBadRequest, w.Code)
		require.Equal(t, `invalid parameter "strict": "yes": allowed are 1, 0, true, false`, envelopeOf(t, w).Error)
	}
}

// failing is a storage whose every answer is an error, or has warnings.
type failing struct {
	storage.SampleAndChunkQueryable
	err      error
	warnings annotations.Annotations
}

func (s failing) Queryable(promstore.Options) storage.SampleAndChunkQueryable { return s }

func (s failing) Metadata(context.Context, promstore.Options, string) ([]promstore.Metadata, annotations.Annotations, error) {
	return nil, s.warnings, s.err
}

func (s failing) Querier(mint, maxt int64) (storage.Querier, error) { return failingQuerier{s: s}, nil }

type failingQuerier struct {
	storage.Querier
	s failing
}

func (q failingQuerier) Close() error { return nil }

func (q failingQuerier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, q.s.warnings, q.s.err
}

func (q failingQuerier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, q.s.warnings, q.s.err
}

func (q failingQuerier) Select(context.Context, bool, *storage.SelectHints, ...*labels.Matcher) storage.SeriesSet {
	if q.s.err != nil {
		return storage.ErrSeriesSet(q.s.err)
	}
	return storage.NoopSeriesSet()
}

var storageTargets = []string{
	"/api/v1/query?query=up", "/api/v1/query_range?query=up&start=1&end=2&step=1", "/api/v1/series?match[]=up", "/api/v1/series?match[]=up&match[]=a",
	"/api/v1/labels", "/api/v1/labels?match[]=up&match[]=a", "/api/v1/label/node_id/values", "/api/v1/label/node_id/values?match[]=up&match[]=a",
	"/api/v1/metadata", "/api/v1/targets/metadata",
}

func TestErrorsOfStorage(t *testing.T) {
	f := func(err error, status int, kind string) {
		t.Helper()
		core, logged := observer.New(zapcore.ErrorLevel)
		cfg := testConfig(failing{err: err})
		cfg.Log = zap.New(core)
		h := serve(New(cfg))
		for _, target := range storageTargets {
			w := get(t, h, target, nil)
			require.Equal(t, status, w.Code, "%s: %s", target, w.Body)
			e := envelopeOf(t, w)
			require.Equal(t, "error", e.Status)
			require.Equal(t, kind, e.ErrorType)
			require.Contains(t, e.Error, err.Error())
			require.Equal(t, kind == "unavailable", w.Header().Get("Retry-After") != "")
			require.Nil(t, e.Data)
		}
		require.Equal(t, kind == "internal", logged.Len() > 0)
	}
	f(messages.Errorf(messages.ErrBadData, "m"), 400, "bad_data")
	f(messages.Errorf(messages.ErrTimeout, "m"), 503, "timeout")
	f(messages.Errorf(messages.ErrTooLarge, "m"), 422, "execution")
	f(messages.Errorf(messages.ErrUnavailable, "m"), 503, "unavailable")
	f(messages.Errorf(messages.ErrNotFound, "m"), 404, "not_found")
	f(messages.Errorf(messages.ErrInternal, "m"), 500, "internal")
	f(fmt.Errorf("n1: %w", messages.Errorf(messages.ErrUnavailable, "<m>")), 503, "unavailable")
	f(promql.ErrQueryCanceled("x"), 499, "canceled")
	f(promql.ErrQueryTimeout("x"), 503, "timeout")
	f(promql.ErrTooManySamples("x"), 422, "execution")
	f(promql.ErrStorage{Err: errors.New("e")}, 500, "internal")
	f(context.Canceled, 499, "canceled")
	f(context.DeadlineExceeded, 503, "timeout")
	f(errors.New("e"), 422, "execution")
}

func TestWarnings(t *testing.T) {
	var w annotations.Annotations
	for i := range 12 {
		w.Add(fmt.Errorf("n%02d: no answer", i))
	}
	w.Add(fmt.Errorf("%w: the clock", annotations.PromQLInfo))
	h := serve(New(testConfig(failing{warnings: w})))
	for _, target := range []string{"/api/v1/labels", "/api/v1/label/node_id/values", "/api/v1/metadata", "/api/v1/targets/metadata"} {
		e := envelopeOf(t, get(t, h, target, nil))
		require.Equal(t, []string{"PromQL info: the clock"}, e.Infos)
		require.Len(t, e.Warnings, 11)
		require.Equal(t, "n00: no answer", e.Warnings[0])
		require.Equal(t, "2 more warning annotations omitted", e.Warnings[10])
	}
	empty := New(testConfig(loaded(t)))
	require.NotContains(t, get(t, serve(empty), "/api/v1/labels", nil).Body.String(), "warnings")
}

// A query whose client has gone, or whose time is over, ends; with a timeout of its own, too.
func TestContext(t *testing.T) {
	h := serve(New(testConfig(loaded(t))))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, target := range []string{"/api/v1/query?query=up", "/api/v1/query_range?query=up&start=1&end=2&step=1"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil).WithContext(ctx))
		require.Equal(t, 499, w.Code)
		require.Equal(t, "canceled", envelopeOf(t, w).ErrorType)

		e := envelopeOf(t, get(t, h, target+"&timeout=0.000000001", nil))
		require.Equal(t, "timeout", e.ErrorType)
	}
}

func TestMetadata(t *testing.T) {
	h := serve(New(testConfig(loaded(t))))
	f := func(target, want string) {
		t.Helper()
		w := get(t, h, target, nil)
		require.JSONEq(t, `{"status":"success","data":`+want+`}`, w.Body.String(), target)
	}
	const (
		requests    = `"requests_total":[{"type":"counter","help":"Requests.","unit":""},{"type":"counter","help":"Requests of <old> nodes.","unit":""}]`
		temperature = `"temperature":[{"type":"gauge","help":"","unit":""}]`
		up          = `"up":[{"type":"unknown","help":"","unit":""}]`
	)
	f("/api/v1/metadata", `{`+requests+`,`+temperature+`,`+up+`}`)
	f("/api/v1/metadata?limit=-1", `{`+requests+`,`+temperature+`,`+up+`}`)
	f("/api/v1/metadata?limit=1", `{`+requests+`}`)
	f("/api/v1/metadata?limit=0", `{}`)
	f("/api/v1/metadata?limit=1&limit_per_metric=1", `{"requests_total":[{"type":"counter","help":"Requests.","unit":""}]}`)
	f("/api/v1/metadata?metric=up", `{`+up+`}`)
	f("/api/v1/metadata?metric=nosuch", `{}`)

	const (
		n1 = `{"target":{"node_id":"n1","node_role":"data"},`
		n2 = `{"target":{"node_id":"n2","node_role":"liaison","node_zone":"z"},`
		of = `"type":"unknown","help":"","unit":""}`
	)
	f("/api/v1/targets/metadata?metric=up", `[`+n1+of+`,`+n2+of+`]`)
	f(`/api/v1/targets/metadata?metric=up&match_target={node_zone="z"}`, `[`+n2+of+`]`)
	f(`/api/v1/targets/metadata?match_target={node_zone="z"}`,
		`[`+n2+`"metric":"requests_total","type":"counter","help":"Requests of <old> nodes.","unit":""},`+n2+`"metric":"up",`+of+`]`)
	f("/api/v1/targets/metadata?metric=up&limit=1", `[`+n1+of+`]`)
	f("/api/v1/targets/metadata?limit=0", `[]`)
}

func TestTargets(t *testing.T) {
	a := New(testConfig(loaded(t)))
	h := serve(a)
	f := func(target, want string) {
		t.Helper()
		require.JSONEq(t, `{"status":"success","data":`+want+`}`, get(t, h, target, nil).Body.String(), target)
	}
	const (
		n1 = `{"discoveredLabels":{"__address__":"10.0.0.1:2121","__metrics_path__":"/metrics","__scheme__":"http","job":"agents"},
			"labels":{"node_id":"n1"},"scrapePool":"agents","scrapeUrl":"http://10.0.0.1:2121/metrics","globalUrl":"http://10.0.0.1:2121/metrics",
			"lastError":"","lastScrape":"0001-01-01T00:00:00Z","lastScrapeDuration":0,"health":"up","scrapeInterval":"10s","scrapeTimeout":"0s"}`
		n2 = `{"discoveredLabels":{"__address__":"10.0.0.2:2121","__metrics_path__":"/metrics","__scheme__":"http","job":"nodes"},
			"labels":{"node_id":"n2"},"scrapePool":"nodes","scrapeUrl":"http://10.0.0.2:2121/metrics","globalUrl":"http://10.0.0.2:2121/metrics",
			"lastError":"connection refused","lastScrape":"1970-01-01T01:00:00Z","lastScrapeDuration":0.02,"health":"down","scrapeInterval":"10s","scrapeTimeout":"5s"}`
	)
	f("/api/v1/targets", `{"activeTargets":[`+n1+`,`+n2+`],"droppedTargets":[],"droppedTargetCounts":{"agents":0,"nodes":0}}`)
	f("/api/v1/targets?state=Active&scrapePool=nodes", `{"activeTargets":[`+n2+`],"droppedTargets":[],"droppedTargetCounts":null}`)
	f("/api/v1/targets?state=dropped", `{"activeTargets":[],"droppedTargets":[],"droppedTargetCounts":{"agents":0,"nodes":0}}`)
	f("/api/v1/scrape_pools", `{"scrapePools":["agents","nodes"]}`)

	cfg := testConfig(loaded(t))
	cfg.Targets = func(context.Context) ([]Target, error) { return nil, messages.Errorf(messages.ErrUnavailable, "m") }
	for _, target := range []string{"/api/v1/targets", "/api/v1/scrape_pools"} {
		require.Equal(t, http.StatusServiceUnavailable, get(t, serve(New(cfg)), target, nil).Code)
	}
}

func TestStatus(t *testing.T) {
	cfg := testConfig(loaded(t))
	h := serve(New(cfg))
	require.Contains(t, get(t, h, "/api/v1/status/buildinfo", nil).Body.String(), `{"version":"3.15.0","revision":"abc","branch":"","buildUser":"","buildDate":"","goVersion":"go`)
	require.Contains(t, get(t, h, "/api/v1/status/runtimeinfo", nil).Body.String(), `{"startTime":"1970-01-01T00:00:00Z","CWD":"",`)
	require.JSONEq(t, `{"status":"success","data":{"query-timeout":"30s"}}`, get(t, h, "/api/v1/status/flags", nil).Body.String())
	require.JSONEq(t, `{"status":"success","data":{"yaml":"global: {}\n"}}`, get(t, h, "/api/v1/status/config", nil).Body.String())
	features := get(t, h, "/api/v1/features", nil).Body.String()
	require.Contains(t, features, `"subqueries":true`)
	require.Contains(t, features, `"remote_write_receiver":false`)
	cfg.Flags = nil
	require.JSONEq(t, `{"status":"success","data":{}}`, get(t, serve(New(cfg)), "/api/v1/status/flags", nil).Body.String())

	// The version is that of the engine: 0.315.0 is Prometheus 3.15.0.
	mod, err := os.ReadFile("../../go.mod")
	require.NoError(t, err)
	found := regexp.MustCompile(`prometheus/prometheus v0\.(\d)(\d\d)\.(\d+)`).FindStringSubmatch(string(mod))
	require.Len(t, found, 4)
	require.Equal(t, fmt.Sprintf("%s.%s.%s", found[1], strings.TrimPrefix(found[2], "0"), found[3]), engineVersion)
}

func TestTimes(t *testing.T) {
	f := func(text string, want time.Time) {
		t.Helper()
		got, err := parseTime(text)
		require.NoError(t, err)
		require.True(t, want.Equal(got), "%s: %v", text, got)
	}
	bad := func(text string) {
		t.Helper()
		_, err := parseTime(text)
		require.EqualError(t, err, fmt.Sprintf("cannot parse %q to a valid timestamp", text))
	}
	f("0", time.Unix(0, 0))
	f("1.5", time.Unix(1, 5e8))
	f("-1.5", time.Unix(-2, 5e8))
	f("1435781451.7814", time.Unix(1435781451, 781e6))
	f("2015-07-01T20:10:51.781Z", time.Unix(1435781451, 781e6))
	f(minTime.Format(time.RFC3339Nano), minTime)
	f(maxTime.Format(time.RFC3339Nano), maxTime)
	f("9223309901257974", time.Unix(9223309901257974, 0))
	for _, text := range []string{"", "x", "NaN", "Inf", "-Inf", "1e16", "9223309901257975", "-9223309901257975", "1e300", "2015-07-01"} {
		bad(text)
	}
	require.Error(t, checkEvalTime(maxTime))
	require.NoError(t, checkEvalTime(time.Unix(9e9, 0)))

	h := serve(New(testConfig(loaded(t))))
	for _, target := range []string{"/api/v1/query?query=up&time=1e10", "/api/v1/query_range?query=up&start=1e10&end=1e10&step=1", "/api/v1/query_range?query=up&start=0&end=1e10&step=1"} {
		require.Contains(t, get(t, h, target, nil).Body.String(), "the years 1678 to 2261 can be evaluated, not 2286")
	}
}

func TestNewDefaults(t *testing.T) {
	cfg := testConfig(loaded(t))
	cfg.Limits.Concurrency = 0
	a := New(cfg)
	require.Equal(t, 1, a.admission.state.slots)
	require.Equal(t, 1, a.admission.state.longSlots)

	f := func(l Limits, liveSamples, longSamples int) {
		t.Helper()
		require.Equal(t, [kinds]int{live: liveSamples, long: longSamples}, l.maxSamples())
	}
	f(Limits{MaxSamples: 50_000_000, Concurrency: 20}, 50_000_000, 50_000_000)
	f(Limits{MaxSamples: 50_000_000, Memory: 1 << 30, Concurrency: 20}, 1<<30/2/20/16, 1<<30/2/10/16)
	f(Limits{MaxSamples: 1000, Memory: 1 << 30, Concurrency: 4}, 1000, 1000)
	f(Limits{MaxSamples: 1000, Memory: 1, Concurrency: 1}, 1, 1)
}

// What the parameters of a URL may be, whatever is sent.
func FuzzQueryParams(f *testing.F) {
	s := loaded(f)
	cfg := testConfig(s)
	cfg.Limits.Timeout = 300 * time.Millisecond
	cfg.Limits.MaxSamples = 50_000
	a := New(cfg)
	h := serve(a)
	for _, e := range []string{"up", "rate(requests_total[5m])", `label_replace(up, "a", "$1", "node_id", "(.*)")`, "vector(1)[1h:1ms]", "sum(", "up offset 1y @ end()", `{__name__=~"(?i).*"}`} {
		f.Add(e, "3600", "0", "60", "1", "all", "1")
		f.Add(e, "-1e9", "NaN", "1e300", "-1", "x", "0")
		f.Add(e, "1970-01-01T00:00:00Z", "", "1m", "", "", "")
	}
	f.Fuzz(func(t *testing.T, query, end, start, step, limit, stats, strict string) {
		form := url.Values{
			"query": {query}, "match[]": {query, "up"}, "start": {start}, "end": {end}, "time": {end}, "step": {step}, "limit": {limit}, "stats": {stats},
			"strict": {strict}, "timeout": {step}, "lookback_delta": {step}, "metric": {query}, "match_target": {query}, "state": {stats}, "type": {stats},
			"limit_per_metric": {limit}, "group_limit": {limit}, "exclude_alerts": {strict}, "group_next_token": {stats},
		}
		for _, route := range a.Routes() {
			if route.Path == prefix+"/read" {
				continue
			}
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				r := httptest.NewRequest(method, "/x?"+form.Encode(), nil)
				if method == http.MethodPost {
					r = httptest.NewRequest(method, "/x", strings.NewReader(form.Encode()))
					r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				}
				r.URL.Path = "/x"
				r.SetPathValue("name", query)
				w, begin := httptest.NewRecorder(), time.Now()
				route.Serve(w, r)
				require.Less(t, time.Since(begin), 10*time.Second, route.Path)
				if w.Code == http.StatusNoContent {
					require.Empty(t, w.Body)
					continue
				}
				e := envelopeOf(t, w)
				require.Equal(t, w.Code == http.StatusOK, e.Status == "success")
				require.Equal(t, w.Code != http.StatusOK, e.ErrorType != "")
				require.NotEqual(t, http.StatusInternalServerError, w.Code, e.Error)
				require.NotContains(t, e.Error, "unexpected error: runtime error", query)
			}
		}
		_ = h
	})
}

func FuzzTimes(f *testing.F) {
	for _, s := range []string{"0", "1.5", "-1e15", "2015-07-01T20:10:51.781Z", "1h30m", "1e300", "NaN"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if at, err := parseTime(s); err == nil {
			require.False(t, at.Before(minTime))
			require.False(t, at.After(maxTime))
		}
		_, _ = parseDuration(s)
	})
}

// FuzzMatchers parses what the storage gets; what is refused has a reason.
func FuzzMatchers(f *testing.F) {
	for _, s := range []string{`up`, `{a="b"}`, `{a=~"(a|b)*"}`, `{"utf8.name", x!~"[^a]{3}"}`, `{`, `up{a=~"(?i)\\pL"}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		begin := time.Now()
		set, err := newParser().ParseMetricSelector(s)
		require.Less(t, time.Since(begin), 10*time.Second)
		if err == nil {
			anySelects(set)
			return
		}
		require.NotEmpty(t, err.Error())
	})
}

// A range may have as many steps as in a Prometheus, and not one more.
func TestStepsOfARange(t *testing.T) {
	h := serve(New(testConfig(loaded(t))))
	require.Equal(t, http.StatusOK, get(t, h, "/api/v1/query_range?query=1&start=0&end=11000&step=1", nil).Code)
	require.Equal(t, http.StatusBadRequest, get(t, h, "/api/v1/query_range?query=1&start=0&end=11001&step=1", nil).Code)
}
