//go:build e2e && linux

package modes_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestE2EJournalRecovery: three hours of 3,000 series are back soon after the start. Neither
// scrapes nor the session with the proxy wait for it, and a window that is asked meanwhile says
// that it is not whole.
func TestE2EJournalRecovery(t *testing.T) {
	proxy, node, dir := startProxy(t), startCountedNode(t, 10), t.TempDir()
	const scrapes = 3 * 360
	hours := past{target: node.endpoint(), series: 3_000, every: 10 * time.Second, scrapes: scrapes,
		from: time.Now().Add(-(scrapes + 3) * 10 * time.Second).Truncate(time.Millisecond)}
	writePast(t, dir, "n1", pastLimits, hours, nil)

	began := time.Now()
	agent := startAgent(t, proxy, "n1", "liaison", node.endpoint(), "--storage-dir", dir, "--poll-metrics-interval", "200ms")
	awaitStatuses(t, proxy, "n1", "online")
	session := time.Since(began)
	// A window of a family that has samples in the past alone.
	query := between(hours.from, hours.end()) + "&name[]=" + pastFamily(0)
	partial, whole := 0, time.Duration(0)
	eventually(t, "a window that is whole", func() error {
		status, body, header, err := get(proxy.addr("http"), "/metrics-windows?"+query)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status, body)
		if header.Get("X-Fodc-Missing") != "" {
			return fmt.Errorf("the agent is missing: %s", header.Get("X-Fodc-Missing"))
		}
		whole = time.Since(began)
		got, said := strings.Count(body, "\npast_"), header.Get("X-Fodc-Partial")
		if said == "" {
			require.Equal(t, scrapes*pastPerFamily, got, "a window that does not say that it is partial")
			return nil
		}
		require.Equal(t, "n1=recovering", said)
		partial++
		return fmt.Errorf("%d samples, partial: %s", got, said)
	})
	h := awaitJournal(t, agent, "writing")
	first := node.requests()[0].Sub(began)
	t.Logf("recovered in %.3f s; after the start of the process: the first scrape %s, the session %s, the first whole window %s; %d windows before said that they are partial",
		h.RecoverySeconds, first.Round(time.Millisecond), session.Round(time.Millisecond), whole.Round(time.Millisecond), partial)
	require.Positive(t, h.RecoverySeconds)
	eventually(t, "the metric", func() error {
		if seconds := reading(t, agent, "fodc_journal_recovery_seconds"); seconds != h.RecoverySeconds {
			return fmt.Errorf("%g, not %g", seconds, h.RecoverySeconds)
		}
		return nil
	})
	require.Positive(t, partial, "no window was asked before the recovery was over")
	from := hours.at(scrapes / 3)
	hours.requireWindow(t, wholeWindow(t, proxy, between(from, from.Add(10*time.Minute))), from, from.Add(10*time.Minute))
}
