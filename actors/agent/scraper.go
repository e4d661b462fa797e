package agent

import (
	"context"
	"time"

	"fodc/actors"
	"fodc/actors/agent/mask"
	"fodc/messages"
	"fodc/recorder"

	"go.uber.org/zap"
)

// Messages to a scraper.
type (
	// fetched is the result of a request. The body may share the memory of buf.
	fetched struct {
		generation  uint64
		buf, body   []byte
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
	fetch    fetchFunc
	limits   recorder.ParseLimits
	settings settingsFunc
	state    *scraperState

	page   *recorder.Page // nil while the recorder has it
	buf    []byte         // for a body; nil while a request has it
	timer  actors.Timer
	ctx    context.Context
	cancel context.CancelCauseFunc
}

func newScraper(sys *actors.System, to *actors.PID, target Target, cfg Config, fetch fetchFunc) *scraper {
	return &scraper{sys: sys, log: sys.Log().With(zap.String("endpoint", target.Name())), recorder: to, target: target,
		fetch: fetch, limits: recorder.ParseLimits{Samples: cfg.Limits.PageSamples}, settings: cfg.settings(),
		state: newScraperState(target.Name(), target.ContainerName, cfg.DefaultTargets, cfg.ScrapeInterval, cfg.NodeOptional)}
}

func (s *scraper) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started:
		actors.Subject(c, s.target.Name())
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
		s.onRecorded(m)
	case readTarget:
		actors.Reply(c, s.state.status())
	default:
		unknownMessage(s.log, m)
	}
}

func (s *scraper) onDue(c actors.Context) {
	start, again := s.state.due(uint64(actors.NextStreamID()), time.Now())
	s.timer.Arm(c, again)
	if start != nil {
		go runFetch(newSender(s.ctx, s.sys, c), s.fetch, s.target.URL, *start, s.buf)
		s.buf = nil
	}
}

// runFetch does one request, and sends its result.
func runFetch(self sender, fetch fetchFunc, url string, job scrape, buf []byte) {
	ctx, cancel := context.WithTimeout(self.ctx, job.timeout)
	defer cancel()
	began := time.Now()
	m := fetched{generation: job.generation, buf: buf}
	m.err = recovered(self.sys.Log(), "a scrape", func() (err error) {
		m.body, m.contentType, err = fetch(ctx, url, buf)
		return err
	})
	m.took = time.Since(began)
	self.send(m)
}

func (s *scraper) onFetched(c actors.Context, m fetched) {
	if !s.state.isUnderWay(m.generation) {
		return // of a request before a restart
	}
	o := outcome{took: m.took, bytes: len(m.body), err: m.err}
	var page *recorder.Page
	if m.err == nil {
		page = s.parse(m, &o)
	}
	s.buf = bufferAfter(m.buf, m.body)
	done, samples, entries := s.state.ended(o, time.Now())
	for _, e := range entries {
		writeEntry(s.log, e)
	}
	if page != nil {
		s.page = nil
	}
	actors.Request(c, s.recorder, scraped{node: true, target: s.recorderTarget(),
		scrape: recorder.Scrape{At: done.at, Page: page, Failure: o.cause(), Samples: samples}})
}

// parse returns the page, nil if it is unusable.
func (s *scraper) parse(m fetched, o *outcome) *recorder.Page {
	if s.page == nil {
		s.page = &recorder.Page{}
	}
	page := s.page
	page.Parse(m.body, m.contentType, s.settings(s.target.URL).pageLimits(s.limits))
	o.badLines, o.untyped = page.BadLines(), page.Fallback()
	if page.FirstBad() != nil {
		o.firstBad = mask.Text(page.FirstBad().Error())
	}
	if err := page.Err(); err != nil {
		o.err = pageError(err)
		return nil
	}
	o.samples = page.Samples()
	return page
}

// onRecorded takes the page back.
func (s *scraper) onRecorded(m recorded) {
	s.page = m.page
	s.state.recorded(m.appended)
}

// A buffer over keepBuffer bytes is freed after a body that is keepBufferFactor times smaller.
const (
	keepBuffer       = 1 << 20
	keepBufferFactor = 4
)

// bufferAfter returns the buffer for the next body.
func bufferAfter(buf, body []byte) []byte {
	if cap(body) > cap(buf) {
		buf = body
	}
	if cap(buf)/keepBufferFactor > max(len(body), keepBuffer) {
		return nil
	}
	return buf[:0]
}

func (s *scraper) recorderTarget() recorder.Target {
	t := recorder.Target{Name: s.target.Name(), HonorLabels: s.settings(s.target.URL).honorsLabels()}
	if s.target.ContainerName != "" {
		t.Labels = []messages.Label{{Name: "container_name", Value: s.target.ContainerName}}
	}
	return t
}
