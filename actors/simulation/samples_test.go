package simulation

import (
	"slices"
	"strconv"
	"time"

	"fodc/messages"
)

// samples are the samples of a node's part of an answer.
type samples struct {
	node  *node
	wrong func(string, ...any)

	fetched []time.Time         // when those of sampleName were; in order
	by      map[int][]time.Time // the same, by the process that has fetched them
	wide    map[time.Time]int
	seen    map[sampleKey]bool
}

type sampleKey struct {
	series string
	at     int64
}

// read takes the samples of the blocks. None may be there twice, and all must be the
// node's, and have the time at which they were fetched.
func (s *samples) read(blocks []messages.Block) {
	for _, b := range blocks {
		for f := range b.Each() {
			f.Unshare()
			for _, series := range f.Series {
				s.readSeries(b.Times, f.Name, series)
			}
		}
	}
	slices.SortFunc(s.fetched, time.Time.Compare)
}

func (s *samples) readSeries(times []int64, name string, series messages.Series) {
	process := 0
	if name == sampleName || name == wideName {
		process = s.readLabels(series.Labels)
	}
	for i, v := range series.Values {
		if messages.IsGap(v) {
			continue
		}
		k := sampleKey{name + series.Suffix.String() + "{" + string(series.Labels) + "}", times[i]}
		if s.seen[k] {
			s.wrong("%s has %s at %d twice", s.node.id, k.series, k.at)
		}
		s.seen[k] = true
		at := time.UnixMilli(int64(v))
		switch name {
		case wideName:
			s.wide[at]++
		case sampleName:
			s.fetched = append(s.fetched, at)
			s.by[process] = append(s.by[process], at)
			if off := at.Sub(time.UnixMilli(times[i])).Abs(); off > scheduleTolerance+epsilon {
				s.wrong("%s has a sample of %s at %s", s.node.id, at, time.UnixMilli(times[i]))
			}
		}
	}
}

func (s *samples) readLabels(text messages.LabelText) (process int) {
	for _, l := range text.Labels() {
		switch l.Name {
		case "sim_node":
			if l.Value != s.node.id {
				s.wrong("%s has a sample of %s", s.node.id, l.Value)
			}
		case "sim_process":
			process, _ = strconv.Atoi(l.Value)
		case "sim_part":
		default:
			s.wrong("%s has a sample with the labels %.200q", s.node.id, text)
		}
	}
	return process
}

// verifyWide checks that all series of a scrape are there.
func (s *samples) verifyWide() {
	for _, at := range s.fetched {
		if s.wide[at] != wideSeries {
			s.wrong("%s has %d of %d series of %s", s.node.id, s.wide[at], wideSeries, at)
		}
	}
	if len(s.wide) != len(s.fetched) {
		s.wrong("%s has %d scrapes of one family and %d of another", s.node.id, len(s.fetched), len(s.wide))
	}
}
