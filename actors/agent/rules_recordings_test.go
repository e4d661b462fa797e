package agent

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/agent/rules"
	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/recordertest"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

const recordingsDir = "../../testdata/recordings/"

// firstOfRule is the first time that a rule fired over a recording.
type firstOfRule struct {
	rule string
	// active and fired are how long after the first page the expression first held, and the rule fired.
	active, fired time.Duration
	// failing is since when the node's scrapes failed at that time; 0: they did not.
	failing time.Duration
	text    string
}

// replayRules plays a recording to an agent, and returns which rules fired first, in their order.
func replayRules(t *testing.T, recording string) (found []firstOfRule) {
	moments := recordertest.Recording(t, recordingsDir+recording+".tar.gz")
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(moments[0].At))
		begin := time.Now()
		now := func() recordertest.Moment {
			return moments[min(int(time.Since(begin)/recordertest.MomentInterval), len(moments)-1)]
		}
		var failed atomic.Int64
		sys := actors.NewSystem(zap.NewNop())
		a := Start(sys, Config{
			Registration:   messages.Registration{NodeID: "data-0", Role: "data", PodName: "data-0"},
			Targets:        []Target{{URL: "http://node/metrics", ContainerName: "data"}, {URL: "http://host/metrics"}},
			ScrapeInterval: recordertest.MomentInterval, MemoryBudget: 64 << 20, Version: "test",
			Process: func() []recorder.Sample { return []recorder.Sample{startSample(float64(begin.Unix()))} },
			Load:    func() float64 { return 0 },
			Fetch: func(ctx context.Context, url string) ([]byte, string, error) {
				m := now()
				if strings.Contains(url, "//host/") {
					return m.Host, "text/plain; version=0.0.4", nil
				}
				asked := time.Since(begin)
				select {
				case <-ctx.Done():
					failed.CompareAndSwap(0, int64(asked))
					return nil, "", ctx.Err()
				case <-time.After(m.Took):
				}
				if !m.Up {
					failed.CompareAndSwap(0, int64(asked))
					return nil, "", errRefused
				}
				failed.Store(0)
				return m.Node, "text/plain; version=0.0.4", nil
			},
		})
		set, err := rules.Load(true, nil)
		require.NoError(t, err)
		e := rules.New(set, rules.Storage(a.Read, a.Identity), rules.Options{ScrapeInterval: recordertest.MomentInterval})
		for time.Since(begin) < time.Duration(len(moments))*recordertest.MomentInterval {
			alerts, err := e.Evaluate(t.Context(), time.Now())
			require.NoError(t, err)
			for _, alert := range alerts {
				if alert.State == rules.Firing && !slices.ContainsFunc(found, func(f firstOfRule) bool { return f.rule == alert.Rule }) {
					found = append(found, firstOfRule{alert.Rule, alert.ActiveAt.Sub(begin), alert.FiredAt.Sub(begin), time.Duration(failed.Load()), alert.Summary})
				}
			}
			time.Sleep(recordertest.MomentInterval)
			synctest.Wait()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, a.Stop(ctx))
		sys.Shutdown()
	})
	for _, f := range found {
		t.Logf("%-18s first held at %5.0f s, fired at %5.0f s, scrapes failed since %5.0f s: %s", f.rule, f.active.Seconds(), f.fired.Seconds(), f.failing.Seconds(), f.text)
	}
	return found
}

// TestRulesOverRecordings: which of the built-in rules an agent finds in recordings of a real node, and when.
func TestRulesOverRecordings(t *testing.T) {
	names := func(found []firstOfRule) (names []string) {
		for _, f := range found {
			names = append(names, f.rule)
		}
		return names
	}
	f := func(recording string, want ...string) map[string]firstOfRule {
		t.Helper()
		found := replayRules(t, recording)
		require.Equal(t, want, names(found), recording)
		byName := map[string]firstOfRule{}
		for _, f := range found {
			byName[f.rule] = f
			if f.rule == "EndpointDown" {
				require.Equal(t, f.failing, f.active, "%s: it is the first scrape that failed", recording)
			}
		}
		return byName
	}
	f("healthy")

	// The process was killed at 120 s, and started again at 150 s. A moment is somewhat longer than two seconds.
	killed := f("killed", "ProcessGone", "EndpointDown", "ProcessRestarted")
	require.InDelta(t, 116, killed["EndpointDown"].active.Seconds(), 4)
	require.InDelta(t, 146, killed["ProcessRestarted"].fired.Seconds(), 4)

	// It was stopped at 90 s, and went on at 130 s.
	frozen := f("frozen", "EndpointDown")
	require.InDelta(t, 96, frozen["EndpointDown"].active.Seconds(), 6)

	// The kernel killed it at 46 s.
	oom := f("oom", "MemoryNearLimit", "OomKilled", "EndpointDown", "ProcessGone")
	require.Less(t, oom["MemoryNearLimit"].fired, 42*time.Second)
	require.InDelta(t, 48, oom["OomKilled"].fired.Seconds(), 4)

	// Memory was at its limit from 82 s on.
	thrash := f("thrash", "MemoryNearLimit", "EndpointDown", "MemoryStalled")
	require.InDelta(t, 83, thrash["MemoryNearLimit"].fired.Seconds(), 4)
	require.InDelta(t, 88, thrash["EndpointDown"].active.Seconds(), 4)
	require.Less(t, thrash["MemoryStalled"].active, 2*time.Minute)
}
