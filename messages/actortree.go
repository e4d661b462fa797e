package messages

import "time"

// ActorNode is what is known of one actor of the running process.
type ActorNode struct {
	ID     string `json:"id"`
	Parent string `json:"parent,omitempty"`
	// Kind is what the actor is, the same for all actors of a type.
	Kind string `json:"kind"`
	// Subject is whom or what the actor serves: a node's id, an address, a question;
	// empty for one that serves all.
	Subject string `json:"subject,omitempty"`
	// State is starting, running, failed (waits for its supervisor), restarting or
	// stopping.
	State   string    `json:"state"`
	Started time.Time `json:"started"`
	// Mailbox counts the messages that wait; MailboxPeak is the most that ever did.
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

// EndedActor is an actor that is gone, and why.
type EndedActor struct {
	ID      string    `json:"id"`
	Kind    string    `json:"kind"`
	Subject string    `json:"subject,omitempty"`
	Ended   time.Time `json:"ended"`
	// Reason is the failure that its supervisor ended it for, else what the actor said
	// itself, else "stopped".
	Reason string `json:"reason"`
	// LastFailure may be one that the actor survived; nil: it never failed.
	LastFailure *Failure `json:"last_failure,omitempty"`
}

// ActorTree is all actors of a process as a tree, and some of those gone, the newest
// first.
type ActorTree struct {
	At          time.Time    `json:"at"`
	Actors      []ActorNode  `json:"actors"`
	Ended       []EndedActor `json:"ended"`
	DeadLetters uint64       `json:"dead_letters"`
}

// Of returns the part of the tree that serves the subject: its actors with all below
// them, and those above them; and of those gone the ones that served it. The tree
// itself is not changed. Without such an actor both lists are empty.
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

// ActorCounts is all actors of a process in numbers.
type ActorCounts struct {
	Kinds       []KindCounts // sorted by kind
	DeadLetters uint64       // messages that reached nobody, since the start
	// LateReplies are answers that nobody waited for any more, and second answers,
	// since the start.
	LateReplies uint64
}

// KindCounts is what the actors of one kind add up to.
type KindCounts struct {
	Kind     string
	Alive    int
	Mailbox  int64  // messages that wait
	Restarts uint64 // since the start, like Failures
	Failures uint64
}
