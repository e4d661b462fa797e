package agent

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"fodc/actors"
	"fodc/messages"
	"fodc/recorder"
)

// Health returns how the agent does. An actor that is being restarted shows as such.
func (a *Agent) Health(ctx context.Context) (messages.AgentHealth, error) {
	h := messages.AgentHealth{Targets: []messages.TargetHealth{}, Proxies: []messages.ProxyHealth{}, Events: []messages.AgentEvent{}}
	stats, err := actors.Ask[recorder.Stats](ctx, a.sys, a.recorder, readStats{})
	if err != nil {
		return h, unavailable(err)
	}
	h.Window = messages.WindowHealth{Series: stats.Series, Samples: stats.Samples, Bytes: stats.Bytes,
		LimitBytes: stats.LimitBytes, LimitSeries: stats.LimitSeries, SpanSeconds: stats.Span().Seconds(),
		Recorded: stats.Appended, Evicted: stats.Evicted, SeriesLimit: stats.DroppedNoRoom, Rejected: stats.DroppedNotAllowed, Duplicates: stats.DroppedDuplicate}
	events, err := actors.Ask[[]recorder.Event](ctx, a.sys, a.recorder, readEvents{})
	if err != nil {
		return h, unavailable(err)
	}
	for _, e := range events {
		h.Events = append(h.Events, messages.AgentEvent{Event: string(e.Kind), Target: e.Target, At: e.At, Last: e.Last,
			Scrapes: e.Scrapes, Detail: e.Detail})
	}
	for _, pid := range a.scrapers {
		t, err := actors.Ask[messages.TargetHealth](ctx, a.sys, pid, readTarget{})
		if err != nil {
			return h, unavailable(err)
		}
		h.Targets = append(h.Targets, t)
	}
	if a.noHost != nil {
		h.Telemetry = unsupportedHost(a.noHost)
	}
	if a.host != nil {
		t, err := actors.Ask[messages.TelemetryHealth](ctx, a.sys, a.host, readTelemetry{})
		if err != nil {
			return h, unavailable(err)
		}
		if a.kernel != nil {
			t.Kernel = kernelHealth(a.kernel.Status())
		}
		h.Telemetry = &t
	}
	if a.journal != nil {
		j, err := actors.Ask[journalStatus](ctx, a.sys, a.journal, readJournal{})
		if err != nil {
			return h, unavailable(err)
		}
		h.Journal = &j.health
	}
	if a.crashes != nil {
		if h.Crashes, err = actors.Ask[*messages.CrashHealth](ctx, a.sys, a.crashes, readCrashHealth{}); err != nil {
			return h, unavailable(err)
		}
	}
	h.Incidents = a.incidentsHealth()
	if a.files != nil {
		h.Files = a.files()
	}
	for _, pid := range a.links {
		p, err := actors.Ask[messages.ProxyHealth](ctx, a.sys, pid, readLink{})
		if err != nil {
			return h, unavailable(err)
		}
		h.Proxies = append(h.Proxies, p)
	}
	slices.SortFunc(h.Targets, func(a, b messages.TargetHealth) int { return strings.Compare(a.Endpoint, b.Endpoint) })
	slices.SortFunc(h.Proxies, func(a, b messages.ProxyHealth) int { return cmp.Compare(a.Address, b.Address) })
	return h, nil
}
