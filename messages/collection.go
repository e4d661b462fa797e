package messages

import (
	"slices"
	"time"
)

// Window bounds samples by their time, both ends included. A zero end is open; the
// zero Window asks for the latest values instead of a range.
type Window struct {
	Start, End time.Time
}

// IsLatest reports whether the window asks for the latest values.
func (w Window) IsLatest() bool { return w.Start.IsZero() && w.End.IsZero() }

// MaxSelectedNames bounds the families that a Selection may name.
const MaxSelectedNames = 4096

// Selection says which samples are wanted of a recorder.
type Selection struct {
	Window Window
	// Names are the families wanted, at most MaxSelectedNames; none = all.
	Names []string
	// ScrapeTimes asks, with a window of time, for the times of all scrapes of each target that may have
	// some of the families, and of all targets if NeedsAllScrapeTimes: without them nobody can tell where a
	// series has ended. Those that no block of samples has are in blocks without families.
	ScrapeTimes bool
	// SeriesOnly asks, with a window of time, for the series that have a sample in it, and for no
	// more than one sample of each, which need not be a true one. A series may be in the answer
	// although its samples are somewhat older or newer.
	SeriesOnly bool
}

// WantsScrapeTimes reports whether an answer has the times of scrapes: see ScrapeTimes.
func (s *Selection) WantsScrapeTimes() bool { return s.ScrapeTimes && !s.Window.IsLatest() }

// FamilyUp is the family that says which nodes have answered, and, in a window, when they were up: whenever
// they have scraped anything.
const FamilyUp = "fodc_agent_up"

// NeedsAllScrapeTimes reports whether the times of scrapes are wanted of targets without any of the
// families, too.
func (s *Selection) NeedsAllScrapeTimes() bool {
	return len(s.Names) == 0 || slices.Contains(s.Names, FamilyUp)
}

// WantsSeriesOnly reports whether an answer has no true samples: see SeriesOnly.
func (s *Selection) WantsSeriesOnly() bool { return s.SeriesOnly && !s.Window.IsLatest() }

// Query is what a client asks of all agents at once.
type Query struct {
	Filter NodeFilter
	// Question is what is asked; nil: the samples of the Selection.
	Question  Question
	Selection Selection
	// Deadline is when the answer is sent, with whatever has arrived by then.
	Deadline time.Time
	// CorrectClocks asks each node whose clock is known to be off by more than MaxClockOffset for
	// the window by that clock, see NodeAnswer.ClockOffset.
	CorrectClocks bool
	// Yields lets collections for pages go first: see Yielding. Those are all that do not yield and
	// have no Question.
	Yields bool
}

// MaxClockOffset is by how much a node's clock may be off without being corrected.
const MaxClockOffset = time.Second

// MissingReason says why a node's samples are not in a collection.
type MissingReason string

// The reasons for which a node is missing. MissingTimeout: it did not answer in time.
// MissingUnconnected: it has no session. MissingBusy: it still owes the answer to an earlier
// request, or has too many requests under way. MissingError: it answered with an error, or its
// session broke meanwhile. MissingUnserved: it has not the stream of the question, as agents of the
// field may not; that is no fault.
const (
	MissingNone        MissingReason = ""
	MissingTimeout     MissingReason = "timeout"
	MissingUnconnected MissingReason = "unconnected"
	MissingBusy        MissingReason = "busy"
	MissingError       MissingReason = "error"
	MissingUnserved    MissingReason = "unserved"
)

// PartialReason says why a node's answer is not whole although the node is not missing. What
// there is of it is in the collection.
type PartialReason string

// The reasons for which an answer is partial. PartialRecovering: the agent is still reading back
// what was recorded before it started. PartialJournal: the part on its disk could not be read, or
// not in time. An agent of a later version may have further reasons.
const (
	PartialNone       PartialReason = ""
	PartialRecovering PartialReason = "recovering"
	PartialJournal    PartialReason = "journal"
)

// Problems counts what was wrong with an answer.
type Problems struct {
	// Rejected counts the series that were dropped as invalid.
	Rejected int
	// TooMany counts the series that were dropped because the agent has more than it may
	// have. In a window a series may be counted once for each of its blocks.
	TooMany int
	// Sanitized counts the label sets in which an invalid name was replaced.
	Sanitized int
}

// Add adds the counts of another part of the answer.
func (f *Problems) Add(more Problems) {
	f.Rejected += more.Rejected
	f.TooMany += more.TooMany
	f.Sanitized += more.Sanitized
}

// NodeAnswer is one node's part of a collection.
type NodeAnswer struct {
	Identity Identity
	// AgentID is the public id of the session that was asked; empty if none was.
	AgentID string
	// Missing is MissingNone if the node's answer has come to its end. A node that is missing
	// has no blocks and no parts: half an answer is not shown as if it were one.
	Missing MissingReason
	// Partial is PartialNone if the answer has all that the node has of the selection. It is
	// never set for a node that is missing.
	Partial PartialReason
	Blocks  []Block
	// Parts are the answer to a Question, which has no blocks.
	Parts []Part
	Problems
	// ClockOffset is what is to be added to the times of the blocks: it is 0 unless the query asked
	// to correct clocks.
	ClockOffset time.Duration
	// Took is the time from the question to the end of the answer.
	Took time.Duration
	// Timing is what the agent has measured of its session; nil where it has not.
	Timing *Timing
	// LastHeartbeat is when the agent was last heard of. AgentVersion is empty where it
	// sends none. Both are known of missing nodes, too.
	LastHeartbeat time.Time
	AgentVersion  string
}

// Collection is the answer to a Query: one entry for each node that the filter
// selects, sorted by node id. It may be shared by several readers.
type Collection struct {
	Nodes []NodeAnswer
}

// Download says which file of a node is wanted.
type Download struct {
	NodeID string
	// Question names the file: a ProfileQuestion, or an EvidenceQuestion. Its Offset and Length are not used.
	Question Question
	// Size is what is known of the file's size, 0 where nothing is.
	Size int64
	// Offset is where the wanted part begins, which goes on to the file's end. An agent of the field
	// always sends the whole file: of those it has to be 0.
	Offset int64
}
