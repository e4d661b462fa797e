package actors

// maxSubjectBytes bounds what an actor says of whom it serves.
const maxSubjectBytes = 4 << 10

// Subject says whom or what the actor serves: a node, an address, a question. The
// tree shows it, and can be cut down to one subject. It is for Receive, and best said
// on *Started.
func Subject(c Context, text string) {
	m := memberOf(c)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.subject = clip(text, maxSubjectBytes)
}

// EndReason says why the actor is about to end. It is for Receive, up to and with
// *Stopped; the last word counts. A failure that the actor is ended for goes over it,
// and a restart forgets it.
func EndReason(c Context, text string) {
	m := memberOf(c)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.endReason = clip(text, maxReasonBytes)
}

func memberOf(c Context) *member { return c.Actor().(*guarded).member }
