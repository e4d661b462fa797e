package agent

import (
	"maps"
	"time"

	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/journal"
)

// journalStatus is the state of the journal, for health and metrics.
type journalStatus struct {
	health messages.JournalHealth
	stats  journal.Stats
	drops  journalDrops
}

// status is the answer to readJournal.
func (j *journalKeeper) status() journalStatus {
	s, stats := j.state, j.newest.stats
	h := messages.JournalHealth{State: s.shown, Since: s.shownAt, Error: s.cause, Dir: j.cfg.Dir,
		Segments: stats.Segments, DamagedSegments: stats.Damaged, Bytes: stats.Bytes, LimitBytes: j.cfg.Config.RetentionBytes,
		FreeBytes: stats.Free, Oldest: timeOf(stats.Oldest), Newest: timeOf(stats.Newest), Waiting: len(s.queue.items),
		Written: stats.Written.Samples, Dropped: map[string]uint64{}, RecoverySeconds: j.recovered.took.Seconds()}
	drops := maps.Clone(s.counts)
	for why, l := range stats.Dropped {
		drops.add(string(why), l)
	}
	for why, l := range drops {
		h.Dropped[why] = l.Scrapes
	}
	return journalStatus{h, stats, drops}
}

// timeOf returns the time of unix milliseconds; 0 is the zero time.
func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// journalSamples are the metrics of the journal.
func journalSamples(s journalStatus) []recorder.Sample {
	up := 0.0
	if s.health.State.IsWritten() {
		up = 1
	}
	samples := []recorder.Sample{
		gauge("fodc_journal_up", "Whether scrapes are written to the journal.", up),
		gauge("fodc_journal_segments", "Segments of the journal.", float64(s.health.Segments)),
		gauge("fodc_journal_bytes", "Size of all segments of the journal.", float64(s.health.Bytes)),
		gauge("fodc_journal_limit_bytes", "Size that the journal may have.", float64(s.health.LimitBytes)),
		gauge("fodc_journal_recovery_seconds", "How long it took to read back what was recorded before the agent's start.", s.health.RecoverySeconds),
		counter("fodc_journal_written_samples_total", "Samples that were written to the journal.", float64(s.stats.Written.Samples)),
		counter("fodc_journal_written_bytes_total", "Bytes that were written to the journal.", float64(s.stats.WrittenBytes)),
		counter("fodc_journal_syncs_total", "Syncs of the journal.", float64(s.stats.Syncs)),
		counter("fodc_journal_sync_seconds_total", "Time that all syncs of the journal took.", s.stats.SyncTime.Seconds()),
		counter("fodc_journal_removed_segments_total", "Segments that were removed to make room, or because of their age.", float64(s.stats.Removed)),
		counter("fodc_journal_damaged_segments_total", "Segments that could not be read to their end when the journal was opened.", float64(s.stats.Damaged)),
	}
	if !s.health.Oldest.IsZero() {
		samples = append(samples, gauge("fodc_journal_oldest_timestamp_seconds", "Time of the oldest scrape in the journal, as unix time.", float64(s.stats.Oldest)/1000))
	}
	for _, why := range []string{journalDropQueue, journalDropClosed, string(journal.DropFailing), string(journal.DropPaused), string(journal.DropInvalid)} {
		samples = append(samples, labelled(counter("fodc_journal_dropped_samples_total", "Samples that are not in the journal, by reason.", float64(s.drops[why].Samples)), "reason", why))
	}
	for _, op := range []journal.Operation{journal.OpList, journal.OpOpen, journal.OpCreate, journal.OpWrite, journal.OpSync, journal.OpRemove, journal.OpSpace} {
		samples = append(samples, labelled(counter("fodc_journal_errors_total", "Operations of the disk that failed.", float64(s.stats.Errors[op])), "operation", string(op)))
	}
	return samples
}

func labelled(s recorder.Sample, name, value string) recorder.Sample {
	s.Labels = []messages.Label{{Name: name, Value: value}}
	return s
}
