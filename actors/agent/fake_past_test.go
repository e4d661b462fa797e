package agent

import (
	"slices"
	"sync"
	"time"

	"fodc/actors"
	"fodc/messages"
	"fodc/messages/wire"
	"fodc/recorder"
	"fodc/recorder/journal"

	"google.golang.org/protobuf/types/known/timestamppb"
)

// fakePast is what the journal has for an answer. What a test does not put in, a reader waits for,
// as if the disk hung.
type fakePast struct {
	parts chan fakePart

	mu             sync.Mutex
	opened, closed int
	reading, most  int // readers that wait for the disk, now and at most
	budgets        []int
	openErr        error
	damage         []journal.SegmentDamage
}

type fakePart struct {
	blocks []messages.Block
	err    error
	panics bool
}

func newFakePast() *fakePast { return &fakePast{parts: make(chan fakePart, 1000)} }

// put puts in parts with a sample of the family "past" each, of so many values, and the end.
func (p *fakePast) put(values ...float64) {
	for _, v := range values {
		p.parts <- fakePart{blocks: pastBlocks(v)}
	}
}

func (p *fakePast) end() { p.parts <- fakePart{} }

func pastBlocks(values ...float64) []messages.Block {
	b := messages.Block{Families: []messages.Family{{Name: "past", Series: []messages.Series{{Values: values}}}}}
	for i, v := range values {
		b.Times = append(b.Times, 1_000+int64(v)*1_000+int64(i))
	}
	return []messages.Block{b}
}

func (p *fakePast) open() (pastReader, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opened++
	return p, p.openErr
}

func (p *fakePast) Next(budget int) ([]messages.Block, error) {
	p.mu.Lock()
	p.budgets = append(p.budgets, budget)
	p.reading++
	p.most = max(p.most, p.reading)
	p.mu.Unlock()
	part := <-p.parts
	p.mu.Lock()
	p.reading--
	p.mu.Unlock()
	if part.panics {
		panic("a bug")
	}
	return part.blocks, part.err
}

func (p *fakePast) Damage() []journal.SegmentDamage { return p.damage }

func (p *fakePast) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed++
	return nil
}

// counts returns how often the past was opened and closed, and how many wait for the disk now.
func (p *fakePast) counts() (opened, closed, reading int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.opened, p.closed, p.reading
}

// pastRecorder answers as a recorder whose windows have a past on disk.
type pastRecorder struct {
	window  *recorder.Window
	past    *fakePast
	partial messages.PartialReason
}

func (r *pastRecorder) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case read:
		taken := snapshotTaken{seq: m.seq, snapshot: r.window.Snapshot(m.selection), partial: r.partial}
		if !m.selection.Window.IsLatest() {
			taken.past = r.past.open
		}
		actors.Reply(c, taken)
	case readHealth:
		actors.Reply(c, nodeHealth{messages.HealthHealthy})
	}
}

// runWithPast starts a link to the proxy, with a recorder that has testPage in memory and a past.
func (w *world) runWithPast() (*fakePast, *pastRecorder) {
	r := &pastRecorder{window: recorder.NewWindow(recorder.Limits{}), past: newFakePast()}
	m := scrapeOf("node", testPage, time.Unix(1_000_000, 0))
	r.window.Append(m.target, m.scrape)
	pid := w.sys.Spawn("recorder", actors.ResumeOnFailure(), func() actors.Actor { return r })
	cfg := sessionConfig{address: "proxy:17900", identity: newNodeIdentity(w.cfg.Registration, false), heartbeat: 10 * time.Second, recorder: pid, pasts: newPastReads(w.sys.Log()), load: hostLoad, dial: w.net.dial}
	w.sys.Spawn("link", restarts, func() actors.Actor { return newLink(w.sys, cfg, time.Second) })
	w.pass(0)
	return r.past, r
}

func windowRequest(id uint64) *wire.StreamMetricsResponse {
	r := columnarRequest(id)
	r.StartTime = timestamppb.New(time.Unix(1, 0))
	return r
}

// answerTo is what came for a request: the values of the family "past" and of "g" in the order of
// the frames, whether the answer has ended, and what it said then.
type answerTo struct {
	past, memory []float64
	ended        bool
	partial      string
	err          string
}

func (w *world) answerTo(id uint64) (a answerTo) {
	w.t.Helper()
	for _, f := range w.proxy.answers() {
		if f.GetRequestId() != id {
			continue
		}
		if a.ended {
			w.t.Errorf("a frame behind the end of answer %d", id)
		}
		for _, b := range wire.FromAnswer(f, time.Now()).Blocks {
			for fam := range b.Each() {
				switch {
				case fam.Name == "past" && len(a.memory) > 0:
					w.t.Errorf("answer %d has its past behind what is in memory", id)
				case fam.Name == "past":
					a.past = append(a.past, fam.ValuesOf(0)...)
				default:
					a.memory = append(a.memory, slices.Concat(fam.ValuesOf(0))...)
				}
			}
		}
		a.ended, a.partial, a.err = !f.GetMoreFollows(), f.GetPartial(), f.GetError()
	}
	return a
}
