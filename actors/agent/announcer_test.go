package agent

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
)

// announcements returns what the proxy was told on the newest stream.
func (a *asking) announcements() (all []messages.IncidentRevision) {
	synctest.Wait()
	for _, r := range a.newest().replies {
		if r.Announced != 0 {
			all = append(all, r.Announced)
		}
	}
	return all
}

func inIncidentsWorld(t *testing.T, test func(t *testing.T, a *asking)) {
	inWorld(t, func(t *testing.T, w *world) {
		a := &asking{world: w, of: messages.StreamIncidents, question: messages.IncidentsQuestion{}, source: &fakeSource{},
			parts: []messages.Part{incidentAt(time.Unix(1_000_000, 0).UTC()), messages.IncidentRevision(7)}}
		w.proxy.streamAnswers = true
		w.cfg.Sources = map[messages.Stream]Source{a.of: a.source}
		a.source.emits(a.parts...)
		test(t, a)
	})
}

// The proxy is told of each revision once, also while a long answer is under way, and not of those that it asks for
// anyhow since the stream is new.
func TestAnnouncements(t *testing.T) {
	inIncidentsWorld(t, func(t *testing.T, a *asking) {
		a.run()
		synctest.Wait()
		require.Empty(t, a.announcements())
		a.agent.announcer.announce(a.of, 1)
		require.Equal(t, []messages.IncidentRevision{1}, a.announcements())
		a.agent.announcer.announce(a.of, 1)
		a.agent.announcer.announce(messages.StreamSchema, 9)
		a.agent.announcer.announce(a.of, 2)
		require.Equal(t, []messages.IncidentRevision{1, 2}, a.announcements())
		a.source.waits()
		id := a.asks(time.Minute)
		a.agent.announcer.announce(a.of, 3)
		require.Equal(t, []messages.IncidentRevision{1, 2, 3}, a.announcements())
		require.Empty(t, a.replies(id))

		a.proxy.restart()
		a.pass(time.Minute)
		require.Empty(t, a.announcements(), "a new stream")
		a.agent.announcer.announce(a.of, 4)
		require.Equal(t, []messages.IncidentRevision{4}, a.announcements())
	})
}

// A proxy that reads nothing gets the newest of ten thousand when it reads again, and few of the others. Its
// answers are whole.
func TestAnnouncementsOfAProxyThatDoesNotRead(t *testing.T) {
	inIncidentsWorld(t, func(t *testing.T, a *asking) {
		read := make(chan struct{})
		a.proxy.serve = func(_ messages.Stream, _ int, recv func() error, _ grpc.ServerStream) error {
			<-read
			for recv() == nil {
			}
			return nil
		}
		large := &messages.IncidentRecord{Incident: incidentAt(time.Unix(1_000_000, 0).UTC()).Incident}
		for range 1000 {
			large.Incident.Timeline = append(large.Incident.Timeline, messages.IncidentEvent{Text: string(make([]byte, 300))})
		}
		a.source.set(func(_ context.Context, _ messages.Question, emit func(messages.Part) error) error {
			for range 20 {
				if err := emit(large); err != nil {
					return err
				}
			}
			return emit(messages.IncidentRevision(7))
		})
		a.run()
		a.asks(time.Hour)
		synctest.Wait()
		for i := range messages.IncidentRevision(10000) {
			a.agent.announcer.announce(a.of, i+1)
		}
		synctest.Wait()
		a.metricsWork()
		close(read)
		got := a.announcements()
		require.Less(t, len(got), 10)
		require.EqualValues(t, 10000, got[len(got)-1])
		require.Len(t, a.replies(1), 21)
	})
}

// A proxy of the field is not asked for a stream that it cannot have.
func TestNoIncidentsForTheField(t *testing.T) {
	inIncidentsWorld(t, func(t *testing.T, a *asking) {
		a.proxy.streamAnswers = false
		a.run()
		a.pass(10 * time.Minute)
		a.agent.announcer.announce(a.of, 1)
		require.Empty(t, a.proxy.opened(a.of))
		require.Empty(t, a.lines("stream"))
		a.metricsWork()
	})
}
