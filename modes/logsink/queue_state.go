package logsink

const (
	// maxQueuedBytes bounds the lines that wait to be written.
	maxQueuedBytes = 1 << 20
	// lineOverhead is what a waiting line takes beside its text, in bytes.
	lineOverhead = 64
)

// line is the writer's next piece of work.
type line struct {
	// text is nil where there is only a gap to be told of.
	text []byte
	// gap is how many lines were dropped between the one before and this one.
	gap uint64
}

// queue is the lines that wait for the writer, oldest first. A line that does not fit is
// dropped: what is there already tells how the trouble began.
type queue struct {
	lines []line
	bytes int
	// dropped is how many lines were lost since the start, in the queue and in the writer.
	dropped uint64
	// before and behind are the lines that were lost before the oldest of the queue and
	// behind the newest, and that no line of the log has told of yet.
	before, behind uint64
	// failing says that the last write failed: the next is tried with the next line.
	failing bool
	// closed says that nothing is taken any more.
	closed bool
}

// push takes a line, or drops it. The text is the queue's from then on.
func (q *queue) push(text []byte) {
	size := len(text) + lineOverhead
	if q.closed || q.bytes+size > maxQueuedBytes {
		q.dropped++
		q.behind++
		return
	}
	q.lines = append(q.lines, line{text, q.behind})
	q.behind = 0
	q.bytes += size
}

// next returns what is to be written now. ok is false if that is nothing. The writer
// answers each with wrote, or with lost.
func (q *queue) next() (l line, ok bool) {
	if len(q.lines) > 0 {
		l = q.lines[0]
		l.gap += q.before
		q.before = 0
		q.bytes -= len(l.text) + lineOverhead
		q.lines[0] = line{}
		if q.lines = q.lines[1:]; len(q.lines) == 0 {
			q.lines = nil // A long queue's room is not kept.
		}
		return l, true
	}
	if gap := q.before + q.behind; gap > 0 && !q.failing {
		q.before, q.behind = 0, 0
		return line{gap: gap}, true
	}
	return line{}, false
}

// wrote takes note that the line, with its gap, is out.
func (q *queue) wrote() { q.failing = false }

// lost takes note that the line could not be written. told says that its gap was.
func (q *queue) lost(l line, told bool) {
	q.failing = true
	if !told {
		q.before += l.gap
	}
	if l.text != nil {
		q.dropped++
		q.before++
	}
}
