package modes

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"sync"
	"time"

	"fodc/messages"
	"fodc/recorder/journal"
	"fodc/recorder/promstore"
)

// journalStorage is the nodes of a journal as the storage of a query. What it cannot read it says
// on stderr, once.
type journalStorage struct {
	*promstore.Store
	files  journal.FS
	view   *journal.View
	nodes  []journalNode
	stderr io.Writer
	// limit is how many bytes the samples of collections may take that are not released.
	limit int64

	mu     sync.Mutex
	taken  int64
	warned map[string]bool
}

// journalNode is a node with the segments that are its own.
type journalNode struct {
	identity messages.Identity
	version  string
	view     *journal.View
}

func newJournalStorage(files journal.FS, v *journal.View, stderr io.Writer) *journalStorage {
	s := &journalStorage{files: files, view: v, nodes: journalNodes(v), stderr: stderr, limit: dirMemory(dirReadPercent), warned: make(map[string]bool)}
	s.Store = promstore.New(promstore.Config{Collect: s.collect, Timeout: math.MaxInt64 / 4, Now: time.Now, OwnNode: true, Past: true})
	for _, u := range v.Unreadable {
		s.warn("%v: the segment is left out", u.Err)
	}
	return s
}

// journalNodes returns the nodes of a journal, sorted by node id. A node that has got another role
// or other labels has those that it had last, as on a proxy's page.
func journalNodes(v *journal.View) (nodes []journalNode) {
	at := make(map[string]int)
	for of, node := range v.Nodes() {
		s := v.Segments[of]
		if s.Scrapes() == 0 {
			continue
		}
		i, known := at[node.NodeID]
		if !known {
			i = len(nodes)
			at[node.NodeID] = i
			nodes = append(nodes, journalNode{view: &journal.View{}})
		}
		n := &nodes[i]
		n.identity = messages.Registration{NodeID: node.NodeID, Role: node.Role, PodName: node.PodName, Labels: node.Labels}.Identity()
		n.version = cmp.Or(node.AgentVersion, unknown)
		n.view.Segments = append(n.view.Segments, s)
	}
	slices.SortFunc(nodes, func(a, b journalNode) int { return cmp.Compare(a.identity.NodeID, b.identity.NodeID) })
	return nodes
}

// Newest returns the time of the newest scrape, in unix milliseconds.
func (s *journalStorage) Newest(context.Context) (at int64, ok bool, err error) {
	for i := range s.view.Segments {
		if of := &s.view.Segments[i]; of.Scrapes() > 0 {
			at, ok = max(at, of.MaxTime), true
		}
	}
	return at, ok, nil
}

// latestAge is how old samples may be that count as the latest ones: more than a query looks back.
const latestAge = 10 * time.Minute

// collect answers as a proxy whose agents these nodes have.
func (s *journalStorage) collect(ctx context.Context, q messages.Query) (*messages.Collection, func(), error) {
	if q.Selection.Window.IsLatest() {
		q.Selection.Window.Start = time.Now().Add(-latestAge)
		q.Selection.ScrapeTimes = true
	}
	ctx, cancel := context.WithDeadline(ctx, q.Deadline)
	defer cancel()
	c := &messages.Collection{}
	taken := int64(0)
	release := func() { s.take(-taken) }
	for i := range s.nodes {
		n := &s.nodes[i]
		if !q.Filter.Selects(&n.identity) {
			continue
		}
		a := messages.NodeAnswer{Identity: n.identity, AgentVersion: n.version}
		if s.view.Lacks(q.Selection.Window) {
			a.Partial = messages.PartialJournal
		}
		err := s.read(ctx, n, &q, &a, func(bytes int64) bool { taken += bytes; return s.take(bytes) })
		if err != nil {
			release()
			return nil, nil, err
		}
		c.Nodes = append(c.Nodes, a)
	}
	return c, release, nil
}

// dirReadBytes is how much of a journal is decoded at once.
const dirReadBytes = 1 << 20

// read adds what the node has of the query to its answer. take says whether there is room for more
// bytes.
func (s *journalStorage) read(ctx context.Context, n *journalNode, q *messages.Query, a *messages.NodeAnswer, take func(bytes int64) bool) error {
	r := n.view.NewReader(s.files, journal.Query{Selection: q.Selection})
	defer r.Close()
	for {
		if ctx.Err() != nil {
			return messages.Errorf(messages.ErrTimeout, "reading the journal took too long: %v", context.Cause(ctx))
		}
		blocks, err := r.Next(dirReadBytes)
		switch {
		case err != nil:
			a.Partial = messages.PartialJournal
			s.warn("%v: the rest of the segment is left out", err)
		case len(blocks) == 0:
			s.sayDamage(r.Damage(), a)
			return nil
		}
		for i := range blocks {
			if !take(int64(blocks[i].MemoryBytes())) {
				return messages.Errorf(messages.ErrTooLarge, "the samples that the query needs take more than %d MiB, %d %% of the memory: ask for fewer families or a shorter time",
					s.limit>>20, dirReadPercent)
			}
		}
		a.Blocks = append(a.Blocks, blocks...)
	}
}

// take reserves memory, or gives it back. It returns false if there is not enough.
func (s *journalStorage) take(bytes int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken += bytes
	return s.taken <= s.limit
}

// sayDamage warns of damage. A record that was torn was never whole: nothing is missing.
func (s *journalStorage) sayDamage(damage []journal.SegmentDamage, a *messages.NodeAnswer) {
	for _, d := range damage {
		why := ""
		if d.Torn {
			why = ", since its write was interrupted or is under way"
		} else {
			a.Partial = messages.PartialJournal
		}
		s.warn("%s is %v: the rest of it is left out%s", d.Name, d.Damage, why)
	}
}

// warn shows a warning, the same one once.
func (s *journalStorage) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.warned[text] {
		s.warned[text] = true
		sayNotes(s.stderr, "warning", []string{text})
	}
}
