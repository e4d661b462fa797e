package agent

import (
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors/actorstest"
	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

// labelsOf returns the label sets of the answer's samples by the samples' names.
func labelsOf(answer proto.Message) map[string][]map[string]any {
	all := map[string][]map[string]any{}
	metrics, _ := actorstest.BaselineFields(answer)["metrics"].([]any)
	for _, m := range metrics {
		m := m.(map[string]any)
		labels, _ := m["labels"].(map[string]any)
		all[m["name"].(string)] = append(all[m["name"].(string)], labels)
	}
	return all
}

const stampedPage = "g 1\ng{pod_name=\"other\"} 2\ng{node_role=\"liaison\",y=\"1\"} 3\ng{node_zone=\"\",x=\"1\"} 4\n" +
	"# TYPE h histogram\nh_bucket{le=\"+Inf\"} 5\nh_sum 6\nh_count 5\n"

// A baseline proxy stamps nothing: the agent stamps all of its samples itself, and those of
// two agents that are alike in everything else can be told apart.
func TestBaselineProxyGetsTheIdentity(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p := startBaselineProxy(w)
		w.node.serve(stampedPage, nil)
		w.cfg.Registration.PodName = ""
		w.cfg.Registration.Labels = map[string]string{"zone": "a", "app.kubernetes.io/name": "x", "1st": "y", "role": "z"}
		w.run()
		w.pass(2 * w.cfg.ScrapeInterval)
		for i, frame := range p.sessions[0].frames {
			require.Equal(t, "n1", frame["podName"], "frame %d: a baseline proxy knows agents by it", i)
		}
		stamped := map[string]any{"pod_name": "n1", "node_role": "liaison", "node_zone": "a", "node_app_kubernetes_io_name": "x", "node_1st": "y"}
		answers := p.ask(actorstest.Fields{}, actorstest.Fields{}, actorstest.Fields{"startTime": instant(w.start)})
		require.Len(t, answers, 3)
		for _, answer := range answers {
			all := labelsOf(answer)
			require.Contains(t, all, "fodc_agent_process_start_time_seconds", "the agent's own series")
			require.Contains(t, all, "fodc_node_up")
			for name, sets := range all {
				for _, labels := range sets {
					for k, v := range stamped {
						require.Equal(t, v, labels[k], "%s of %s%v", k, name, labels)
					}
					require.NotContains(t, labels, "node_id", "%s", name)
				}
			}
		}
		with := func(more map[string]any) map[string]any {
			labels := map[string]any{"container_name": "db"}
			maps.Copy(labels, stamped)
			maps.Copy(labels, more)
			return labels
		}
		latest := labelsOf(answers[0])
		require.ElementsMatch(t, []map[string]any{with(nil), with(map[string]any{"x": "1"}), with(map[string]any{"y": "1"}),
			with(map[string]any{"exported_pod_name": "other"})}, latest["g"])
		require.Equal(t, []map[string]any{with(map[string]any{"le": "+Inf"})}, latest["h_bucket"])
		require.Equal(t, []map[string]any{with(nil)}, latest["h_sum"])
	})
}

// The pod name that is given is stamped.
func TestBaselineProxyGetsThePodName(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p := startBaselineProxy(w)
		w.run()
		for name, sets := range labelsOf(p.ask(actorstest.Fields{})[0]) {
			for _, labels := range sets {
				require.Equal(t, "p1", labels["pod_name"], name)
			}
		}
	})
}

// A proxy that stamps the identity itself gets samples without it, in whatever form it
// asks for them.
func TestProxyThatStampsGetsNoIdentity(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.proxy.register = func(n int, g registerServer) error {
			if _, err := w.proxy.recvRegistration(n, g); err != nil {
				return nil
			}
			welcome := wire.Welcome{Success: true, Key: "id-1", Capabilities: messages.Capabilities{ColumnarAnswers: true}}
			if err := g.Send(wire.WelcomeFrame(welcome)); err != nil {
				return err
			}
			return w.proxy.holdRegistration(n, g)
		}
		w.run()
		w.proxy.ask(&wire.StreamMetricsResponse{})
		w.proxy.ask(columnarRequest(1))
		synctest.Wait()
		frames := w.proxy.answers()
		require.Len(t, frames, 2)
		require.NotEmpty(t, frames[0].GetMetrics())
		for _, m := range frames[0].GetMetrics() {
			require.NotContains(t, m.GetLabels(), "pod_name")
			require.NotContains(t, m.GetLabels(), "node_role")
			require.NotContains(t, m.GetLabels(), "node_zone")
		}
		for _, b := range wire.FromAnswer(frames[1], time.Now()).Blocks {
			for f := range b.Each() {
				for i := range f.Series {
					claimed, _ := f.Series[i].AllLabels().Split()
					require.Empty(t, claimed, f.Name)
				}
			}
		}
	})
}
