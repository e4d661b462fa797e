package messages

import "time"

// ActorNode is one actor of the running process.
type ActorNode struct {
	ID     string `json:"id"`
	Parent string `json:"parent,omitempty"`
	// Kind is what the actor is, the same for all actors of a type.
	Kind string `json:"kind"`
	// Subject is what the actor serves: a node id, an address, a query. It is empty for an
	// actor that serves all.
	Subject string `json:"subject,omitempty"`
	// State is starting, running, failed (waits for its supervisor), restarting or
	// stopping.
	State   string    `json:"state"`
	Started time.Time `json:"started"`
	// Mailbox is the number of messages that wait, MailboxPeak its maximum so far.
	Mailbox     int64 `json:"mailbox"`
	MailboxPeak int64 `json:"mailbox_peak"`
	// Handled counts messages, those of the runtime included.
	Handled uint64 `json:"handled"`
	// Busy is the type of the message in progress, empty when the actor is idle.
	Busy        string      `json:"busy,omitempty"`
	BusySeconds float64     `json:"busy_seconds,omitempty"`
	Restarts    int         `json:"restarts"`
	Failures    int         `json:"failures"`
	LastFailure *Failure    `json:"last_failure,omitempty"`
	Orphan      bool        `json:"orphan,omitempty"`
	Children    []ActorNode `json:"children,omitempty"`
}

// Failure is a panic that supervision contained.
type Failure struct {
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
	// Message is the type of the message that the actor failed on.
	Message string `json:"message"`
	Stack   string `json:"stack,omitempty"`
}

// EndedActor is an actor that has ended, and why.
type EndedActor struct {
	ID      string    `json:"id"`
	Kind    string    `json:"kind"`
	Subject string    `json:"subject,omitempty"`
	Ended   time.Time `json:"ended"`
	// Reason is the failure for which its supervisor ended it, else the reason that the
	// actor gave, else "stopped".
	Reason string `json:"reason"`
	// LastFailure is nil if the actor never failed. The actor may have survived it.
	LastFailure *Failure `json:"last_failure,omitempty"`
}

// ActorTree is all actors of a process as a tree, and those that have ended, newest first.
type ActorTree struct {
	At          time.Time    `json:"at"`
	Actors      []ActorNode  `json:"actors"`
	Ended       []EndedActor `json:"ended"`
	DeadLetters uint64       `json:"dead_letters"`
}

// Of returns the part of the tree that serves the subject: the actors with the subject, their
// descendants and ancestors, and the ended actors that served it. Both lists are empty if
// there is none. The tree itself is not changed.
func (t ActorTree) Of(subject string) ActorTree {
	t.Actors = serving(t.Actors, subject)
	var ended []EndedActor
	for _, e := range t.Ended {
		if e.Subject == subject {
			ended = append(ended, e)
		}
	}
	t.Ended = ended
	return t
}

func serving(nodes []ActorNode, subject string) []ActorNode {
	var kept []ActorNode
	for _, n := range nodes {
		if n.Subject != subject {
			if n.Children = serving(n.Children, subject); n.Children == nil {
				continue
			}
		}
		kept = append(kept, n)
	}
	return kept
}

// ActorCounts counts the actors of a process.
type ActorCounts struct {
	Kinds       []KindCounts // sorted by kind
	DeadLetters uint64       // messages that reached nobody, since the start
	// LateReplies counts answers that nobody waited for any more, and second answers, since
	// the start.
	LateReplies uint64
}

// KindCounts sums up the actors of one kind.
type KindCounts struct {
	Kind     string
	Alive    int
	Mailbox  int64  // messages that wait
	Restarts uint64 // since the start, like Failures
	Failures uint64
}
