package agent

import (
	"strconv"
	"time"

	"fodc/messages"
	"fodc/recorder"
)

// maxScrapeTimeout bounds a scrape, as does nine tenths of the interval: a scrape is
// over before the next one is due.
const maxScrapeTimeout = 10 * time.Second

// scraperState is the rules of one target: when it is scraped, what is recorded of a
// scrape, and what is said of it.
type scraperState struct {
	schedule  schedule
	byDefault bool // nobody asked for this endpoint
	// optional says that nothing needs to listen at the endpoint, until something has.
	optional bool
	health   messages.TargetHealth
	counts   scrapeCounts
	gauges   []recorder.Sample // without values: see readings
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

// outcome is how a scrape ended.
type outcome struct {
	took time.Duration
	// err is why there is no page; nil if there is one.
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
		gauges:    scrapeReadings(url),
	}
}

// due returns the scrape to be started now, nil while the former is under way, and
// when to ask again.
func (s *scraperState) due(generation uint64, now time.Time) (start *scrape, again time.Duration) {
	if s.underWay == nil {
		start = &scrape{generation: generation, at: s.schedule.snap(now),
			timeout: min(s.schedule.interval*9/10, maxScrapeTimeout)}
		s.underWay = start
	}
	return start, s.schedule.next(now).Sub(now)
}

// isUnderWay reports whether a result of the generation is awaited.
func (s *scraperState) isUnderWay(generation uint64) bool {
	return s.underWay != nil && s.underWay.generation == generation
}

// ended takes the outcome of the scrape that is under way. It returns the scrape, the
// readings to be recorded with it, and what is to be logged.
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
	return done, s.readings(), s.notes(o, now)
}

// badLinesKind is the kind of the error of a page that was read but for some lines.
const badLinesKind = "bad_lines"

// recorded takes note of what became of a page's samples.
func (s *scraperState) recorded(a recorder.AppendResult) { s.counts.dropped.add(a) }

// status returns how the target does. It is the caller's.
func (s *scraperState) status() messages.TargetHealth {
	h := s.health
	h.Scrapes, h.UntypedPages = s.counts.scrapes, s.counts.untyped
	h.Failures, h.Dropped = s.counts.maps()
	return h
}

func (s *scraperState) notes(o outcome, now time.Time) []logEntry {
	var notes []logEntry
	if o.err != nil {
		if s.optional && kindOf(o.err) == failedRefused {
			return nil
		}
		if s.down.record(o.cause(), now) {
			notes = append(notes, s.downNote(o))
		}
		return notes
	}
	if s.optional {
		s.optional = false
		notes = append(notes, logEntry{text: "a node shows its metrics at the default endpoint: they are recorded"})
	}
	if lasted, times, was := s.down.end(now); was {
		notes = append(notes, logEntry{text: "the endpoint answers again", lasted: lasted, times: times})
	}
	if o.badLines > 0 {
		if s.badLines.record("lines", now) {
			notes = append(notes, logEntry{warn: true, cause: o.firstBad,
				text: "lines of the endpoint's page are skipped: " + strconv.Itoa(o.badLines)})
		}
	} else if lasted, times, was := s.badLines.end(now); was {
		notes = append(notes, logEntry{text: "the endpoint's page is whole again", lasted: lasted, times: times})
	}
	return notes
}

func (s *scraperState) downNote(o outcome) logEntry {
	if s.byDefault && kindOf(o.err) == failedRefused {
		return logEntry{warn: true, text: "nothing listens at the default metrics endpoint: " +
			"if the node's metrics are elsewhere, say so with --metrics-endpoint", cause: o.cause()}
	}
	return logEntry{warn: true, text: "the endpoint gives no metrics", cause: o.cause()}
}
