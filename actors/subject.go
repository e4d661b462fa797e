package actors

// maxSubjectBytes bounds the text of a subject.
const maxSubjectBytes = 4 << 10

// Subject sets whom or what the actor serves: a node, an address, a request. The tree
// shows it, and can be filtered by it. Call it from Receive, best on *Started.
func Subject(c Context, text string) {
	m := cellOf(c)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.subject = clip(text, maxSubjectBytes)
}

// EndReason sets why the actor is about to end. Call it from Receive, on *Stopped at the
// latest; the last call counts. A panic for which the supervisor stops the actor overrides
// it, and a restart clears it.
func EndReason(c Context, text string) {
	m := cellOf(c)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.endReason = clip(text, maxReasonBytes)
}

func cellOf(c Context) *cell { return c.Actor().(*guarded).cell }
