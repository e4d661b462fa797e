package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/messages"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// fakeAlertmanagers take alerts, or do with them what a test wants.
type fakeAlertmanagers struct {
	mu    sync.Mutex
	taken map[string][]alert // by host
	do    map[string]func(ctx context.Context) error
}

func (f *fakeAlertmanagers) post(ctx context.Context, to *url.URL, body []byte) error {
	f.mu.Lock()
	do := f.do[to.Host]
	f.mu.Unlock()
	if do != nil {
		if err := do(ctx); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var alerts []alert
	if err := json.Unmarshal(body, &alerts); err != nil {
		return err
	}
	f.taken[to.Host] = append(f.taken[to.Host], alerts...)
	return nil
}

func (f *fakeAlertmanagers) count(host string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.taken[host])
}

func parsed(t *testing.T, texts ...string) (urls []*url.URL) {
	t.Helper()
	for _, text := range texts {
		u, err := url.Parse(text)
		require.NoError(t, err)
		urls = append(urls, u)
	}
	return urls
}

// withAlertmanagers runs a test in a bubble, with the actor alone.
func withAlertmanagers(t *testing.T, test func(p *Proxy, f *fakeAlertmanagers, logs *observer.ObservedLogs), urls ...string) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		sys := actors.NewSystem(zap.New(core))
		f := &fakeAlertmanagers{taken: map[string][]alert{}, do: map[string]func(context.Context) error{}}
		p := &Proxy{sys: sys, counters: newCounters()}
		p.startAlertmanager(AlertmanagerConfig{URLs: parsed(t, urls...), Pages: "http://p", Post: f.post})
		test(p, f, logs)
		require.NoError(t, sys.Stop(t.Context(), p.alertmanager))
		sys.Shutdown()
		time.Sleep(time.Minute) // The runtime counts dead letters for a while.
	})
}

func TestAlertmanagersDoNotWaitForEachOther(t *testing.T) {
	withAlertmanagers(t, func(p *Proxy, f *fakeAlertmanagers, logs *observer.ObservedLogs) {
		f.do["hangs"] = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		f.do["dead"] = func(context.Context) error { return errors.New("connection refused") }
		f.do["panics"] = func(context.Context) error { panic("out of cheese") }
		i := alertIncident("I1", "critical")
		i.FirstOccurrence = time.Now()
		p.sys.Send(p.alertmanager, incidentAlert{i})
		synctest.Wait()
		require.Equal(t, 1, f.count("well"), "at once")
		time.Sleep(3 * alertResend)
		synctest.Wait()
		require.Equal(t, 4, f.count("well"))
		p.sys.Send(p.alertmanager, incidentAlert{frozen(i, time.Now())})
		synctest.Wait()
		require.Equal(t, 5, f.count("well"))
		f.mu.Lock()
		require.Equal(t, time.Now().UTC(), f.taken["well"][4].EndsAt.UTC())
		f.do = nil
		f.mu.Unlock()
		time.Sleep(2 * maxAlertRetry)
		synctest.Wait()
		for _, host := range []string{"hangs", "dead", "panics"} {
			require.Equal(t, 1, f.count(host), "only the end")
		}
		counts := p.Counts().Alertmanagers
		require.Equal(t, "http://dead/am", counts[1].Alertmanager)
		require.Equal(t, uint64(1), counts[1].Notifications)
		require.Greater(t, counts[1].Failed, uint64(5))
		require.Equal(t, messages.AlertmanagerCounts{Alertmanager: "http://well", Notifications: 5}, counts[3])
		var texts []string
		for _, e := range logs.All() {
			texts = append(texts, e.Message)
			require.NotContains(t, e.ContextMap()["alertmanager"], "hunter2")
		}
		require.Len(t, texts, 6, "each begins and ends once: %q", texts)
	}, "http://hangs", "http://u:hunter2@dead/am", "http://panics", "http://well")
}

func TestAlertmanagerStopsWhileARequestHangs(t *testing.T) {
	withAlertmanagers(t, func(p *Proxy, f *fakeAlertmanagers, _ *observer.ObservedLogs) {
		f.do["hangs"] = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		p.sys.Send(p.alertmanager, incidentAlert{alertIncident("I1", "critical")})
		p.sys.Send(p.alertmanager, incidentRemoved{"I1"})
		p.sys.Send(p.alertmanager, "nonsense")
		synctest.Wait()
	}, "http://hangs")
}

func TestNoAlertmanager(t *testing.T) {
	p := &Proxy{counters: newCounters()}
	p.startAlertmanager(AlertmanagerConfig{})
	require.Nil(t, p.alertmanager)
	require.Nil(t, p.Counts().Alertmanagers)
}

func TestAlertsOverHTTP(t *testing.T) {
	status, answer, hang := http.StatusOK, "", make(chan struct{})
	var got *http.Request
	var body string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got, body = r, string(b)
		if status == 0 {
			<-hang
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	defer s.Close()
	c := newAlertClient(nil)
	to := parsed(t, strings.Replace(s.URL, "http://", "http://u:hunter2@", 1)+"/am/")[0]
	post := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		return c.post(ctx, to, []byte("[]"))
	}
	require.NoError(t, post())
	require.Equal(t, "/am/api/v2/alerts", got.URL.Path)
	require.Equal(t, "application/json", got.Header.Get("Content-Type"))
	require.Equal(t, "[]", body)
	user, password, _ := got.BasicAuth()
	require.Equal(t, "u hunter2", user+" "+password)

	status, answer = http.StatusBadRequest, strings.Repeat("\x00", 1<<20)
	err := post()
	require.ErrorIs(t, err, errAlertsRefused)
	require.Less(t, len(err.Error()), 1000)
	status, answer = http.StatusUnauthorized, "who are you?"
	err = post()
	require.NotErrorIs(t, err, errAlertsRefused)
	require.EqualError(t, err, `status 401: "who are you?"`)
	status = http.StatusServiceUnavailable
	require.NotErrorIs(t, post(), errAlertsRefused)
	s.Close()
	err = post()
	require.ErrorContains(t, err, "connection refused")
	require.NotContains(t, err.Error(), "hunter2")
}
