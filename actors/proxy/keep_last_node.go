package proxy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/journal"
)

// KeepLastConfig says where the last minutes of nodes are kept.
type KeepLastConfig struct {
	// Time is for how long.
	Time time.Duration
	// MinFree is the part of the file system that stays free.
	MinFree float64
	// Dir returns the directory of a node, which need not exist.
	Dir func(name string) journal.FS
	// List returns the names of all directories, Remove removes one. They block for as long as the disk does, as the
	// directories do.
	List   func() ([]string, error)
	Remove func(name string) error
}

const (
	// keepTimeout bounds one collection of a node, keepStep its time, keepSteps how many of them are made in one go.
	keepTimeout = 5 * time.Second
	keepStep    = 2 * time.Minute
	keepSteps   = 4
	// keepSync is how long what was written may wait until it survives a power cut.
	keepSync = 30 * time.Second
)

// keptNode is the journal of a node. It is for one goroutine at a time.
type keptNode struct {
	cfg     *KeepLastConfig
	nodeID  string
	collect func(ctx context.Context, q messages.Query) (*messages.Collection, error)
	writer  *journal.Writer
	node    journal.Node
	times   keptTimes
	number  int64
}

// keptName returns the name of the directory of a node.
func keptName(nodeID string) string { return messages.EvidenceDir(nodeID)[len("nodes/"):] }

// fetch appends what the node has recorded since. It opens the journal first, if need be.
func (k *keptNode) fetch(ctx context.Context, now time.Time) error {
	if err := k.open(now); err != nil {
		return err
	}
	for range keepSteps {
		from := time.UnixMilli(k.times.from(now.UnixMilli(), k.cfg.Time.Milliseconds()))
		to := now
		if to.Sub(from) > keepStep {
			to = from.Add(keepStep)
		}
		n, err := k.ask(ctx, messages.Window{Start: from, End: to})
		if err != nil {
			return err
		}
		// What cannot be written is lost: to collect it again would take ever more.
		err = k.write(n, now)
		if k.times.through = to.UnixMilli(); err != nil || to.Equal(now) {
			return err
		}
	}
	return nil
}

// open opens the journal, and finds out what is kept already.
func (k *keptNode) open(now time.Time) error {
	if k.writer != nil {
		return nil
	}
	k.node = journal.Node{NodeID: k.nodeID}
	w := journal.NewWriter(k.cfg.Dir(keptName(k.nodeID)), journal.Config{
		Node: k.node, CurrentNode: func() journal.Node { return k.node },
		RetentionTime: k.cfg.Time, RetentionBytes: maxKeptNodeBytes, MaxSegmentTime: k.cfg.Time / 2,
		SyncInterval: keepSync, MinFree: k.cfg.MinFree,
	})
	if err := w.Open(now); err != nil {
		return err
	}
	k.writer, k.number = w, 0
	for i := range w.View().Segments {
		for _, t := range w.View().Segments[i].Targets {
			if t.MaxTime <= now.UnixMilli() {
				k.times.take(t.Name, t.MaxTime, false)
			}
		}
	}
	k.times.resume()
	return nil
}

// ask collects the samples of a window.
func (k *keptNode) ask(ctx context.Context, w messages.Window) (*messages.NodeAnswer, error) {
	c, err := k.collect(ctx, messages.Query{Filter: messages.NodeFilter{NodeIDs: []string{k.nodeID}}, CorrectClocks: true, Yields: true,
		Selection: messages.Selection{Window: w, ScrapeTimes: true}, Deadline: time.Now().Add(keepTimeout)})
	if err != nil {
		return nil, err
	}
	for i := range c.Nodes {
		switch n := &c.Nodes[i]; {
		case n.Identity.NodeID != k.nodeID:
		case n.Missing != messages.MissingNone:
			return nil, fmt.Errorf("the node's samples cannot be had: %s", n.Missing)
		default:
			return n, nil
		}
	}
	return nil, errors.New("the node is not registered any more")
}

// write appends the scrapes of an answer that are not kept yet, by the proxy's clock.
func (k *keptNode) write(n *messages.NodeAnswer, now time.Time) error {
	k.node.Role, k.node.PodName, k.node.AgentVersion, k.node.Labels = n.Identity.Role, n.Identity.PodName, n.AgentVersion, n.Identity.Labels
	var failed error
	for b := range recorder.Batches(n.Blocks) {
		b.At += n.ClockOffset.Milliseconds()
		if recorder.IsUnnamedTarget(b.Target) {
			if b.At <= k.times.through {
				continue
			}
		} else if !k.times.take(b.Target, b.At, n.ClockOffset != 0) {
			continue
		}
		k.number++
		b.Number = k.number
		if err := k.writer.Append(b, now); err != nil && !errors.Is(err, journal.ErrInvalid) {
			failed = err
		}
	}
	if err := k.writer.Due(now); err != nil && failed == nil {
		failed = err
	}
	return failed
}

// usage returns what is kept, and of how many series the encoder knows.
func (k *keptNode) usage() (bytes int64, series int) {
	if k.writer == nil {
		return 0, 0
	}
	segments := k.writer.View().Segments
	if n := len(segments); n > 0 {
		for _, t := range segments[n-1].Targets {
			series += t.Series
		}
	}
	return k.writer.Stats().Bytes, series
}

// close ends the journal.
func (k *keptNode) close(now time.Time) error {
	if k.writer == nil {
		return nil
	}
	err := k.writer.Close(now)
	k.writer = nil
	return err
}
