package agent

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// subjects returns the subjects of all actors, by kind.
func (w *world) subjects() map[string]string {
	all := map[string]string{}
	var add func([]messages.ActorNode)
	add = func(nodes []messages.ActorNode) {
		for _, n := range nodes {
			all[n.Kind] += n.Subject
			add(n.Children)
		}
	}
	add(w.sys.Tree().Actors)
	return all
}

// The dump says what each actor is for, and why those ended that are gone.
func TestActorsSayWhatTheyAreFor(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.run()
		got := w.subjects()
		require.Equal(t, "http://node/metrics", got["scraper"])
		require.Equal(t, "proxy:17900", got["link"])
		require.Equal(t, "proxy:17900", got["uplink"])
		require.Empty(t, got["recorder"]+got["selfmetrics"])

		w.proxy.stop()
		w.pass(time.Minute)
		ended := w.sys.Tree().Ended
		reasons := map[string]bool{}
		for _, e := range ended {
			require.Equal(t, "uplink", e.Kind)
			require.Equal(t, "proxy:17900", e.Subject)
			reasons[e.Reason] = true
		}
		for reason := range reasons {
			require.True(t, strings.HasPrefix(reason, "Unavailable: "), reason)
		}
		require.Contains(t, slices.Collect(maps.Keys(reasons)),
			"Unavailable: connection error: desc = \"transport: Error while dialing: dial tcp: connection refused\"")

		w.proxy.start()
		w.pass(w.cfg.ReconnectInterval)
		w.stop()
		ended = w.sys.Tree().Ended
		for _, kind := range []string{"link", "uplink"} {
			at := slices.IndexFunc(ended, func(e messages.EndedActor) bool { return e.Kind == kind })
			require.Equal(t, "disconnected", ended[at].Reason, kind)
		}
	})
}

// The numbers of the actors are recorded with the agent's own process.
func TestActorSamples(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.run()
		w.sys.Send(w.uplink(), channelDone{}) // no stream: it panics
		w.pass(time.Minute)
		blocks, err := w.agent.Latest(context.Background(), messages.Selection{})
		require.NoError(t, err)
		got := map[string]float64{}
		for _, b := range blocks {
			for _, f := range b.Families {
				if !strings.HasPrefix(f.Name, "fodc_agent_") {
					continue
				}
				require.NotEmpty(t, f.Help, f.Name)
				require.Equal(t, strings.HasSuffix(f.Name, "_total"), f.Type == messages.TypeCounter, f.Name)
				for i, s := range f.Series {
					got[f.Name+"{"+string(s.Labels)+"}"] = last(f.ValuesOf(i))
				}
			}
		}
		for name, want := range map[string]float64{
			`fodc_agent_actors{kind="recorder"}`:                 1,
			`fodc_agent_actors{kind="scraper"}`:                  1,
			`fodc_agent_actors{kind="link"}`:                     1,
			`fodc_agent_actors{kind="uplink"}`:                   1,
			`fodc_agent_actor_mailbox_messages{kind="recorder"}`: 0,
			`fodc_agent_actor_restarts_total{kind="link"}`:       0,
			`fodc_agent_actor_failures_total{kind="uplink"}`:     1,
			`fodc_agent_dead_letters_total{}`:                    float64(w.sys.Counts().DeadLetters),
			`fodc_agent_late_replies_total{}`:                    0,
		} {
			require.Contains(t, got, name)
			require.Equal(t, want, got[name], name)
		}
	})
}

// Each number stands at its kind and its name.
func TestActorSamplesOf(t *testing.T) {
	var lines []string
	for _, r := range actorSamples(messages.ActorCounts{DeadLetters: 5, LateReplies: 6, Kinds: []messages.KindCounts{
		{Kind: "a", Alive: 1, Mailbox: 2, Restarts: 3, Failures: 4}, {Kind: "b", Alive: 7}}}) {
		kind := ""
		for _, l := range r.Labels {
			kind += l.Name + "=" + l.Value
		}
		lines = append(lines, strings.TrimPrefix(r.Name, "fodc_agent_")+" "+kind+" "+string(rune('0'+int(r.Value)))+" "+r.Type.String())
	}
	require.Equal(t, []string{
		"actors kind=a 1 gauge", "actor_mailbox_messages kind=a 2 gauge", "actor_restarts_total kind=a 3 counter", "actor_failures_total kind=a 4 counter",
		"actors kind=b 7 gauge", "actor_mailbox_messages kind=b 0 gauge", "actor_restarts_total kind=b 0 counter", "actor_failures_total kind=b 0 counter",
		"dead_letters_total  5 counter", "late_replies_total  6 counter",
	}, lines)
}

func last(values []float64) float64 { return values[len(values)-1] }
