package proxy

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

func TestSubjectOf(t *testing.T) {
	f := func(q messages.Query, want string) {
		t.Helper()
		require.Equal(t, want, subjectOf(q))
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 6e8, time.FixedZone("", 3600))
	f(messages.Query{}, "latest")
	f(messages.Query{Filter: messages.NodeFilter{NodeIDs: []string{"n1", "n2"}, Roles: []string{"liaison"}, PodNames: []string{"p"}},
		Selection: messages.Selection{Names: []string{"up", "g"}}}, "latest node_id=n1,n2 role=liaison pod_name=p name[]=up,g")
	f(messages.Query{Selection: messages.Selection{Window: messages.Window{Start: at}}}, "window [2026-01-02T02:04:05Z, open]")
	f(messages.Query{Selection: messages.Selection{Window: messages.Window{End: at}, Names: []string{"g"}}}, "window [open, 2026-01-02T02:04:05Z] name[]=g")
}

// ended returns the subject and the reason of the actors of a kind that are gone, the
// newest first.
func (w *world) ended(kind string) (all [][2]string) {
	synctest.Wait()
	for _, e := range w.sys.Tree().Ended {
		if e.Kind == kind {
			all = append(all, [2]string{e.Subject, e.Reason})
		}
	}
	return all
}

// The dump says whom each session served, and why it ended.
func TestSessionsSayWhyTheyEnd(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		w.connect(baseline("p1"))
		w.connect(columnar("n2"))
		synctest.Wait()
		sessions := w.top("registry").Children
		require.Len(t, sessions, 2)
		require.Equal(t, [2]string{"p1", "n2"}, [2]string{sessions[0].Subject, sessions[1].Subject})
		require.Empty(t, w.ended("session"))

		again := w.connect(baseline("p1"))
		synctest.Wait()
		require.NoError(t, again.reg.CloseSend())
		synctest.Wait()
		lost := w.connect(columnar("n3"))
		synctest.Wait() // for the registration to be answered
		lost.cancel()
		synctest.Wait()
		flooding := w.agent(baseline("p4"), never)
		for range 100 {
			if flooding.metrics.Send(gauge(1)) != nil {
				break
			}
		}
		synctest.Wait()
		require.Equal(t, [][2]string{
			{"p4", "the agent sent 16 answers that nobody asked for"},
			{"n3", "the connection is gone"},
			{"p1", "goodbye"},
			{"p1", "replaced by a newer registration of the same node"},
		}, w.ended("session"))

		time.Sleep(6 * time.Minute)
		require.Equal(t, [2]string{"n2", "no heartbeat for longer than the cleanup timeout"}, w.ended("session")[0])
	})
}

func TestCollectionsSayWhatTheyAskAndHowTheyEnd(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		w.agent(baseline("p1"), always(1))
		w.agent(baseline("p2"), never)
		synctest.Wait()
		w.collect(messages.Query{Filter: messages.NodeFilter{NodeIDs: []string{"p1"}}})
		synctest.Wait()
		w.collect(messages.Query{})
		synctest.Wait()
		w.collect(messages.Query{Filter: messages.NodeFilter{NodeIDs: []string{"nobody"}}})
		require.Equal(t, [][2]string{
			{"latest node_id=nobody", "answered: 0 nodes, none is missing"},
			{"latest", "answered: 1 of 2 nodes are missing"},
			{"latest node_id=p1", "answered: 1 nodes, none is missing"},
		}, w.ended("collect"))
	})
}

// A client that goes away ends its collection.
func TestCancelledCollectionsSaySo(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		w.agent(baseline("p1"), never)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := w.proxy.Collect(ctx, messages.Query{Deadline: time.Now().Add(5 * time.Second)})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, [][2]string{{"latest", "cancelled"}}, w.ended("collect"))
	})
}
