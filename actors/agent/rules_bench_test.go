package agent

import (
	"context"
	"testing"
	"time"

	"fodc/actors"
	"fodc/actors/agent/rules"
	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/recordertest"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// BenchmarkRules evaluates the built-in rules through a running agent that has recorded 3,000 series for three hours, as an agent does
// in the course of a minute: six times, with intervals of groups. Beside it are six scrapes of these series, as far as a
// page is parsed and recorded.
func BenchmarkRules(b *testing.B) {
	const interval = 10 * time.Second
	sys := actors.NewSystem(zap.NewNop())
	defer sys.Shutdown()
	a := Start(sys, Config{Registration: messages.Registration{NodeID: "data-0", Role: "data"}, ScrapeInterval: time.Hour, MemoryBudget: 256 << 20, Version: "test",
		Process: func() []recorder.Sample { return nil }, Load: func() float64 { return 0 }})
	defer func() { require.NoError(b, a.Stop(context.Background())) }()
	now := time.Now().Truncate(time.Second).Add(-3*time.Hour - 10*time.Minute)
	began := float64(now.Add(-time.Hour).Unix())
	node, many := recordertest.NewRepeatedNode(b, "../../testdata/banyandb"), recordertest.NewWalkingNode(2_600)
	host := recordertest.Recording(b, recordingsDir+"healthy.tar.gz")[100].Host
	scrape := func(target string, page []byte, samples ...recorder.Sample) {
		var p recorder.Page
		p.Parse(page, "text/plain", recorder.ParseLimits{})
		_, err := actors.Ask[recorded](b.Context(), sys, a.recorder, scraped{target: recorder.Target{Name: target}, scrape: recorder.Scrape{At: now, Page: &p, Samples: samples}})
		require.NoError(b, err)
	}
	state := newScraperState("http://node/metrics", "", false, interval, false)
	round := func() {
		now = now.Add(interval)
		scrape("node", node.Next(), state.samples()...)
		scrape("more", many.Next())
		scrape("host", host, startSample(began))
	}
	for range 3 * 360 {
		round()
	}
	set, err := rules.Load(true, nil)
	require.NoError(b, err)
	e := rules.New(set, rules.Storage(a.Read, a.Identity), rules.Options{})
	b.Run("scrapes", func(b *testing.B) {
		for b.Loop() {
			for range 6 {
				round()
			}
		}
	})
	at := now
	b.Run("evaluations", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for range 6 {
				at = at.Add(interval)
				_, err := e.Evaluate(b.Context(), at)
				require.NoError(b, err)
				if at.Sub(now) > time.Minute {
					at = now.Add(interval)
				}
			}
		}
	})
	b.Logf("%+v", e.Stats())
}
