package logsink

const (
	// maxQueuedBytes bounds the lines that wait to be written.
	maxQueuedBytes = 1 << 20
	// lineOverhead is what a waiting line takes beside its text, in bytes.
	lineOverhead = 64
)

// line is what the writer writes next.
type line struct {
	// text is nil if there is only a gap to report.
	text []byte
	// gap is the number of lines that were dropped just before this one.
	gap uint64
}

// queue has the lines that wait for the writer, oldest first. A line that does not fit is
// dropped: the older ones are worth more, since they show how the trouble began.
type queue struct {
	lines []line
	bytes int
	// dropped is the number of lines that did not fit or could not be written, since the start.
	dropped uint64
	// before and behind are the numbers of lines that were lost before the oldest line of the
	// queue and behind the newest one, and are not reported yet.
	before, behind uint64
	// failing: the last write failed. It is tried again when there is another line.
	failing bool
	// closed: all further lines are dropped.
	closed bool
}

// push queues a line, or drops it. The caller must not change the text afterwards.
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

// next returns what to write now; ok is false if there is nothing. After the write the writer
// calls wrote or lost.
func (q *queue) next() (l line, ok bool) {
	if len(q.lines) > 0 {
		l = q.lines[0]
		l.gap += q.before
		q.before = 0
		q.bytes -= len(l.text) + lineOverhead
		q.lines[0] = line{}
		if q.lines = q.lines[1:]; len(q.lines) == 0 {
			q.lines = nil // Release the memory of a long queue.
		}
		return l, true
	}
	if gap := q.before + q.behind; gap > 0 && !q.failing {
		q.before, q.behind = 0, 0
		return line{gap: gap}, true
	}
	return line{}, false
}

// wrote records that the line and the report of its gap are written.
func (q *queue) wrote() { q.failing = false }

// lost records that the line could not be written. told: the report of its gap was.
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
