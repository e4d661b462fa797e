package proxy

import (
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// The first announcement is passed on at once, and of a flood one in announceInterval, the last one too.
func TestAnnouncementsArePassedOn(t *testing.T) {
	var s announcementState
	at := time.Unix(1_000_000, 0)
	pass, after := s.announced(1, at)
	require.Equal(t, messages.IncidentRevision(1), pass)
	require.Zero(t, after)
	passed := []messages.IncidentRevision{pass}
	for i := range messages.IncidentRevision(10_001) {
		at = at.Add(time.Millisecond)
		if pass, after = s.announced(i+2, at); pass != 0 {
			passed = append(passed, pass)
		}
	}
	require.Len(t, passed, 51)
	require.Equal(t, messages.IncidentRevision(10_002), s.due(at.Add(after)))
	require.Zero(t, s.due(at), "once")
}
