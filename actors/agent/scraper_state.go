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
	health    messages.TargetHealth
	underWay  *scrape
	down      lasting
	badLines  lasting
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
	// failure is why there is no page; empty if there is one.
	failure string
	// refused says that nothing listens at the endpoint.
	refused  bool
	samples  int
	badLines int
	firstBad string
}

func newScraperState(url, container string, byDefault bool, interval time.Duration) *scraperState {
	return &scraperState{
		schedule:  newSchedule(url, interval),
		byDefault: byDefault,
		health:    messages.TargetHealth{Endpoint: url, ContainerName: container},
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
func (s *scraperState) ended(o outcome, now time.Time) (*scrape, []recorder.Reading, []note) {
	done := s.underWay
	s.underWay = nil
	s.health.LastScrape, s.health.DurationSeconds = done.at, o.took.Seconds()
	s.health.Up, s.health.Error = o.failure == "", o.failure
	s.health.Samples, s.health.BadLines = o.samples, o.badLines
	if s.health.Up && o.badLines > 0 {
		s.health.Error = o.firstBad
	}
	return done, s.readings(), s.notes(o, now)
}

func (s *scraperState) readings() []recorder.Reading {
	up := 0.0
	if s.health.Up {
		up = 1
	}
	gauge := func(name, help string, value float64) recorder.Reading {
		return recorder.Reading{Name: name, Type: messages.TypeGauge, Help: help, Value: value,
			Labels: []messages.Label{{Name: "endpoint", Value: s.health.Endpoint}}}
	}
	return []recorder.Reading{
		gauge("fodc_node_up", "Whether the newest scrape of the node's endpoint gave a page.", up),
		gauge("fodc_node_scrape_duration_seconds", "How long the newest scrape of the endpoint took.", s.health.DurationSeconds),
		gauge("fodc_node_scrape_samples", "Samples on the page of the newest scrape.", float64(s.health.Samples)),
		gauge("fodc_node_scrape_bad_lines", "Lines of the page of the newest scrape that were skipped.", float64(s.health.BadLines)),
	}
}

func (s *scraperState) notes(o outcome, now time.Time) []note {
	var notes []note
	if o.failure != "" {
		if s.down.met(o.failure, now) {
			notes = append(notes, s.downNote(o))
		}
		return notes
	}
	if lasted, times, was := s.down.over(now); was {
		notes = append(notes, note{text: "the endpoint answers again", lasted: lasted, times: times})
	}
	if o.badLines > 0 {
		if s.badLines.met("lines", now) {
			notes = append(notes, note{warn: true, cause: o.firstBad,
				text: "lines of the endpoint's page are skipped: " + strconv.Itoa(o.badLines)})
		}
	} else if lasted, times, was := s.badLines.over(now); was {
		notes = append(notes, note{text: "the endpoint's page is whole again", lasted: lasted, times: times})
	}
	return notes
}

func (s *scraperState) downNote(o outcome) note {
	if s.byDefault && o.refused {
		return note{warn: true, text: "nothing listens at the default metrics endpoint: " +
			"if the node's metrics are elsewhere, say so with --metrics-endpoint", cause: o.failure}
	}
	return note{warn: true, text: "the endpoint gives no metrics", cause: o.failure}
}
