package telemetry

// maxThreads bounds the threads whose times are read: each is a file. Of a process that has more, those
// that have lived longest are read.
const maxThreads = 512

// threadTimes is the schedstat of a thread: for how long it ran and waited for a processor, in
// nanoseconds, and how many times it was given one.
type threadTimes struct{ ran, waited, timeslices uint64 }

// runQueue adds up for how long the threads of a process waited for a processor. The sum over the threads
// that are there goes down when one ends. So it adds by how much the times of each thread have grown.
//
// It begins at 0 with the first read of a process: what threads waited that had ended by then is not
// known, and a sum without them would be lower after a restart of the agent, but not 0. A rate would take
// all of it for waits of that moment.
type runQueue struct {
	pid     int
	started uint64 // of the process, in clock ticks since boot
	threads map[int]threadTimes
	total   threadTimes
	// complete says that the last read of this process had all threads: one that is new is young.
	complete bool
}

func newRunQueue() *runQueue { return &runQueue{threads: map[int]threadTimes{}} }

// begin begins a read. The sums of another process than that of the last read start at 0.
func (q *runQueue) begin(pid int, started uint64) {
	if q.pid != pid || q.started != started {
		*q = runQueue{pid: pid, started: started, threads: map[int]threadTimes{}}
	}
}

// known reports whether the thread was read before.
func (q *runQueue) known(thread int) bool {
	_, known := q.threads[thread]
	return known
}

// full reports whether no further thread may be read.
func (q *runQueue) full() bool { return len(q.threads) >= maxThreads }

// read takes the times of a thread. If one of them has decreased, another thread has got the id. If none
// has, although another thread has got it, then the times of one interval at most are not counted.
func (q *runQueue) read(thread int, now threadTimes) {
	last, known := q.threads[thread]
	q.threads[thread] = now
	switch {
	case !known && !q.complete:
		return // It may be older than the last read: it was not read then.
	case now.ran < last.ran || now.waited < last.waited || now.timeslices < last.timeslices:
		last = threadTimes{}
	}
	q.total.waited += now.waited - last.waited
	q.total.timeslices += now.timeslices - last.timeslices
}

// ended forgets a thread. What it had waited stays in the sums.
func (q *runQueue) ended(thread int) { delete(q.threads, thread) }

// end ends a read. complete says whether it had all threads.
func (q *runQueue) end(complete bool) { q.complete = complete }
