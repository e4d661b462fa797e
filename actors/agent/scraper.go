package agent

import (
	"context"
	"time"

	"fodc/actors"
	"fodc/messages"
	"fodc/recorder"

	"go.uber.org/zap"
)

// Messages to a scraper.
type (
	// fetched is the last word of a request.
	fetched struct {
		generation  uint64
		body        []byte
		contentType string
		err         error
		took        time.Duration
	}
	// readTarget is answered with messages.TargetHealth.
	readTarget struct{}
)

// scraper scrapes one endpoint of the node.
type scraper struct {
	sys      *actors.System
	log      *zap.Logger
	recorder *actors.PID
	target   Target
	fetch    fetcher
	state    *scraperState

	page   *recorder.Page // nil while it is the recorder's
	timer  actors.Timer
	ctx    context.Context
	cancel context.CancelCauseFunc
}

func newScraper(sys *actors.System, recorder *actors.PID, target Target, byDefault bool, interval time.Duration, fetch fetcher) *scraper {
	return &scraper{sys: sys, log: sys.Log().With(zap.String("endpoint", target.URL)), recorder: recorder, target: target,
		fetch: fetch, state: newScraperState(target.URL, target.ContainerName, byDefault, interval)}
}

func (s *scraper) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started:
		actors.Subject(c, s.target.URL)
		s.ctx, s.cancel = context.WithCancelCause(context.Background())
		s.onDue(c)
	case *actors.Stopping, *actors.Restarting:
		s.timer.Disarm()
		s.cancel(errStopped)
	case *actors.Stopped:
	case actors.Tick:
		if s.timer.Fired(m) {
			s.onDue(c)
		}
	case fetched:
		s.onFetched(c, m)
	case recorded:
		s.page = m.page
	case readTarget:
		actors.Reply(c, s.state.health)
	default:
		unknownMessage(s.log, m)
	}
}

func (s *scraper) onDue(c actors.Context) {
	start, again := s.state.due(uint64(actors.NextStreamID()), time.Now())
	s.timer.Arm(c, again)
	if start != nil {
		go runFetch(newVoice(s.ctx, s.sys, c), s.fetch, s.target.URL, *start)
	}
}

// runFetch does one request, and says one word.
func runFetch(v voice, fetch fetcher, url string, job scrape) {
	ctx, cancel := context.WithTimeout(v.ctx, job.timeout)
	defer cancel()
	began := time.Now()
	body, contentType, err := fetch(ctx, url)
	v.tell(fetched{job.generation, body, contentType, err, time.Since(began)})
}

func (s *scraper) onFetched(c actors.Context, m fetched) {
	if !s.state.isUnderWay(m.generation) {
		return // of a request before a restart
	}
	o := outcome{took: m.took}
	var page *recorder.Page
	if m.err != nil {
		o.failure, o.refused = m.err.Error(), isRefused(m.err)
	} else {
		page = s.parse(m, &o)
	}
	done, readings, notes := s.state.ended(o, time.Now())
	for _, n := range notes {
		logNote(s.log, n)
	}
	if page != nil {
		s.page = nil
	}
	actors.Request(c, s.recorder, scraped{node: true, target: s.recorderTarget(),
		scrape: recorder.Scrape{At: done.at, Page: page, Failure: o.failure, Readings: readings}})
}

// parse returns the page, nil if it is unusable.
func (s *scraper) parse(m fetched, o *outcome) *recorder.Page {
	if s.page == nil {
		s.page = &recorder.Page{}
	}
	page := s.page
	page.Parse(m.body, m.contentType, recorder.ParseLimits{})
	o.badLines = page.BadLines()
	if page.FirstBad() != nil {
		o.firstBad = page.FirstBad().Error()
	}
	if page.Err() != nil {
		o.failure = page.Err().Error()
		return nil
	}
	o.samples = page.Samples()
	return page
}

func (s *scraper) recorderTarget() recorder.Target {
	t := recorder.Target{Name: s.target.URL}
	if s.target.ContainerName != "" {
		t.Labels = []messages.Label{{Name: "container_name", Value: s.target.ContainerName}}
	}
	return t
}
