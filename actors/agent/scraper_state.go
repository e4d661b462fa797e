package agent

import (
	"strconv"
	"time"

	"fodc/messages"
	"fodc/recorder"
)

// maxScrapeTimeout bounds a scrape. Its timeout is nine tenths of the interval at most, so that
// it ends before the next one is due.
const maxScrapeTimeout = 10 * time.Second

func scrapeTimeout(interval time.Duration) time.Duration {
	return min(interval*9/10, maxScrapeTimeout)
}

// scraperState decides for one target when it is scraped, what is recorded of a scrape, and what
// is logged.
type scraperState struct {
	schedule  schedule
	byDefault bool // nobody asked for this endpoint
	// optional says that a refused connection is not logged as a failure, until something has
	// listened at the endpoint.
	optional bool
	health   messages.TargetHealth
	counts   scrapeCounts
	template []recorder.Sample // without values: see samples
	underWay *scrape
	down     failureLog
	badLines failureLog
}

// scrape is one request to the target.
type scrape struct {
	generation uint64
	at         time.Time // its timestamp
	timeout    time.Duration
}

// outcome is the result of a scrape.
type outcome struct {
	took time.Duration
	// err is nil if there is a page.
	err      error
	bytes    int // of the page
	samples  int
	badLines int
	firstBad string
	// untyped says that the content type was missing or unknown.
	untyped bool
}

func (o outcome) cause() string {
	if o.err == nil {
		return ""
	}
	return shortCause(o.err)
}

func newScraperState(url, container string, byDefault bool, interval time.Duration, optional bool) *scraperState {
	return &scraperState{
		schedule:  newSchedule(url, interval),
		byDefault: byDefault,
		optional:  optional,
		health:    messages.TargetHealth{Endpoint: url, ContainerName: container},
		counts:    newScrapeCounts(),
		template:  samplesOfScrapes(url),
	}
}

// due returns the scrape to start now, nil while the one before is under way, and after which
// time to ask again.
func (s *scraperState) due(generation uint64, now time.Time) (start *scrape, again time.Duration) {
	if s.underWay == nil {
		start = &scrape{generation: generation, at: s.schedule.snap(now),
			timeout: scrapeTimeout(s.schedule.interval)}
		s.underWay = start
	}
	return start, s.schedule.next(now).Sub(now)
}

// isUnderWay reports whether the scrape of the generation is under way.
func (s *scraperState) isUnderWay(generation uint64) bool {
	return s.underWay != nil && s.underWay.generation == generation
}

// ended ends the scrape that is under way. It returns the scrape, the samples to record with
// it, and the log entries.
func (s *scraperState) ended(o outcome, now time.Time) (*scrape, []recorder.Sample, []logEntry) {
	done := s.underWay
	s.underWay = nil
	h := &s.health
	h.LastScrape, h.DurationSeconds = done.at, o.took.Seconds()
	h.Up, h.Error = o.err == nil, o.cause()
	h.PageBytes, h.Samples, h.BadLines = o.bytes, o.samples, o.badLines
	s.counts.scrapes++
	if o.untyped {
		s.counts.untyped++
	}
	switch kind := kindOf(o.err); {
	case kind != "":
		s.counts.failures[kind]++
		h.LastError = &messages.TargetError{At: done.at, Kind: string(kind), Error: h.Error}
	case o.badLines > 0:
		h.Error = o.firstBad
		h.LastError = &messages.TargetError{At: done.at, Kind: badLinesKind, Error: h.Error}
	}
	return done, s.samples(), s.logEntries(o, now)
}

// badLinesKind is the kind of the error of a page with bad lines that was recorded.
const badLinesKind = "bad_lines"

// recorded counts the samples that the recorder dropped.
func (s *scraperState) recorded(a recorder.AppendResult) { s.counts.dropped.add(a) }

// status returns the health of the target. The caller may change it.
func (s *scraperState) status() messages.TargetHealth {
	h := s.health
	h.Scrapes, h.UntypedPages = s.counts.scrapes, s.counts.untyped
	h.Failures, h.Dropped = s.counts.maps()
	return h
}

func (s *scraperState) logEntries(o outcome, now time.Time) []logEntry {
	var entries []logEntry
	if o.err != nil {
		if s.optional && kindOf(o.err) == failedRefused {
			return nil
		}
		if s.down.record(o.cause(), now) {
			entries = append(entries, s.downEntry(o))
		}
		return entries
	}
	if s.optional {
		s.optional = false
		entries = append(entries, logEntry{text: "a node shows its metrics at the default endpoint: they are recorded"})
	}
	if lasted, times, was := s.down.end(now); was {
		entries = append(entries, logEntry{text: "the endpoint answers again", lasted: lasted, times: times})
	}
	if o.badLines > 0 {
		if s.badLines.record("lines", now) {
			entries = append(entries, logEntry{warn: true, cause: o.firstBad,
				text: "lines of the endpoint's page are skipped: " + strconv.Itoa(o.badLines)})
		}
	} else if lasted, times, was := s.badLines.end(now); was {
		entries = append(entries, logEntry{text: "the endpoint's page is whole again", lasted: lasted, times: times})
	}
	return entries
}

func (s *scraperState) downEntry(o outcome) logEntry {
	if s.byDefault && kindOf(o.err) == failedRefused {
		return logEntry{warn: true, text: "nothing listens at the default metrics endpoint: " +
			"if the node's metrics are elsewhere, say so with --metrics-endpoint", cause: o.cause()}
	}
	return logEntry{warn: true, text: "the endpoint gives no metrics", cause: o.cause()}
}
