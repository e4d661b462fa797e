package messages

import "time"

// ActorNode is what is known of one actor of the running process.
type ActorNode struct {
	ID     string `json:"id"`
	Parent string `json:"parent,omitempty"`
	// Kind is what the actor is, the same for all actors of a type.
	Kind string `json:"kind"`
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
	ID    string    `json:"id"`
	Kind  string    `json:"kind"`
	Ended time.Time `json:"ended"`
	// Reason is "stopped", or the failure that its supervisor ended it for.
	Reason string `json:"reason"`
}

// ActorTree is all actors of a process as a tree, and the newest of those gone.
type ActorTree struct {
	At          time.Time    `json:"at"`
	Actors      []ActorNode  `json:"actors"`
	Ended       []EndedActor `json:"ended"`
	DeadLetters uint64       `json:"dead_letters"`
}
