//go:build bench && linux

package incidentbench

import (
	"slices"
	"testing"
	"time"
)

const (
	// interval is that of the scrapes, and of the times that are compared: each has one scrape and one evaluation.
	interval = 10 * time.Second
	// openTime is how long an incident is open: its captures are in the 10 s of it one after the other. The freeze is in those of
	// freezeTime; it begins in the middle of the first of them.
	openTime   = 6 * interval
	freezeTime = 4 * interval
	// quiet is as long as an agent takes to return unused memory.
	quiet = 6 * interval
	// fastInterval is that of the agent without a directory, which has no past: within a minute it has as many scrapes
	// as the others in ten.
	fastInterval = interval / 10
)

// world has the agents that are compared, and what was measured of them, a value a round.
type world struct {
	t *testing.T
	// plain has no rules; memory has no directory.
	plain, rules, memory *agent

	plainCPU, quietCPU, captureCPU, freezeCPU        []float64
	fastCPU, fastCaptureCPU                          []float64
	usual, most, openMost, askedMost                 []float64
	memoryUsual, memoryMost, memoryOpen, memoryAsked []float64
}

func newWorld(t *testing.T) *world {
	n := startNode(t)
	w := &world{t: t}
	w.plain = startAgent(t, n, "--incidents=false", "--storage-dir", n.past("plain"), "--poll-metrics-interval", interval.String())
	w.rules = startAgent(t, n, "--storage-dir", n.past("rules"), "--poll-metrics-interval", interval.String())
	w.memory = startAgent(t, n, "--poll-metrics-interval", fastInterval.String())
	w.plain.awaitPast()
	w.rules.awaitPast()
	<-time.After(quiet) // What the recovery took is given back.
	return w
}

// round is one quiet minute, and one incident of each of the two agents that have some.
func (w *world) round() {
	watched, watchedMemory := w.rules.watch(), w.memory.watch()
	plain, rules, fast := w.plain.cpu(), w.rules.cpu(), w.memory.cpu()
	<-time.After(quiet)
	const times = float64(quiet / interval)
	w.plainCPU = append(w.plainCPU, (w.plain.cpu()-plain)/times)
	w.quietCPU = append(w.quietCPU, (w.rules.cpu()-rules)/times)
	w.fastCPU = append(w.fastCPU, (w.memory.cpu()-fast)/times)
	w.usual, w.most = appendMemory(w.usual, w.most, watched)
	w.memoryUsual, w.memoryMost = appendMemory(w.memoryUsual, w.memoryMost, watchedMemory)

	watched = w.rules.watch()
	id, begin := w.rules.open(10*time.Minute, openTime)
	w.captureCPU = append(w.captureCPU, w.dearest(w.rules, begin, openTime-interval))
	<-time.After(interval / 2)
	w.freezeCPU = append(w.freezeCPU, w.dearest(w.rules, w.rules.cpu(), freezeTime))
	w.rules.awaitWhole(id)
	w.openMost = append(w.openMost, slices.Max(watched()))
	watched = w.rules.watch()
	w.rules.ask(id)
	w.askedMost = append(w.askedMost, slices.Max(watched()))

	watched = w.memory.watch()
	id, begin = w.memory.open(time.Minute, openTime)
	w.fastCaptureCPU = append(w.fastCaptureCPU, w.dearest(w.memory, begin, openTime-interval))
	w.memory.awaitWhole(id)
	w.memoryOpen = append(w.memoryOpen, slices.Max(watched()))
	watched = w.memory.watch()
	w.memory.ask(id)
	w.memoryAsked = append(w.memoryAsked, slices.Max(watched()))
	w.rules.remove()
	w.memory.remove()
	<-time.After(quiet) // What that took is given back.
}

// dearest returns the processor time of those 10 s of a time that take the most of it. It begins now, or with what was measured before.
func (w *world) dearest(a *agent, begin float64, all time.Duration) (most float64) {
	var each []float64
	for range all / interval {
		<-time.After(interval)
		now := a.cpu()
		each, begin = append(each, now-begin), now
	}
	w.t.Logf("ms of processor time in each 10 s: %.0f", each)
	return slices.Max(each)
}

// appendMemory appends what is usual of an agent's memory, and the most.
func appendMemory(usual, most []float64, watched func() []float64) ([]float64, []float64) {
	all := watched()
	return append(usual, median(all)), append(most, slices.Max(all))
}

func (w *world) rows() []row {
	return []row{
		{"CPU of 10 quiet s, beside an agent without rules", w.quietCPU, w.plainCPU, ofCPU, 0},
		{"CPU of the dearest 10 s of the captures, beside 10 quiet s", w.captureCPU, w.quietCPU, ofCPU, cpuLimit},
		{"CPU of the dearest 10 s of the freeze, beside 10 quiet s", w.freezeCPU, w.quietCPU, ofCPU, cpuLimit},
		{"scrapes each second: CPU of the dearest 10 s of the captures, beside 10 quiet s", w.fastCaptureCPU, w.fastCPU, ofCPU, cpuLimit},
		{"most memory of a quiet minute, beside its median", w.most, w.usual, ofMemory, 0},
		{"most memory while an incident is open, beside that of the quiet minute", w.openMost, w.most, ofMemory, memoryLimit},
		{"most memory while its changes and bundle are asked for, beside the same", w.askedMost, w.most, ofMemory, 0},
		{"without a directory: most memory of a quiet minute, beside its median", w.memoryMost, w.memoryUsual, ofMemory, 0},
		{"the same: while an incident is open", w.memoryOpen, w.memoryMost, ofMemory, memoryLimit},
		{"the same: while changes and bundle are asked for", w.memoryAsked, w.memoryMost, ofMemory, 0},
	}
}
