package kernel

// program is a program in the kernel.
type program struct {
	name string
	// group and event are the tracepoint that the program is attached to by its file in tracefs. Without them it is attached by the
	// kernel's types, which needs no tracefs.
	group, event string
}

// optional reports whether the program is left out where there is no tracefs, without that being a fault.
func (p program) optional() bool { return p.group != "" }

// Names of programs of which others must know.
const (
	memoryKill     = "memory_kill"
	memoryKillByID = "memory_kill_by_id"
	processExit    = "process_exit"
	markThreads    = "mark_threads"
)

// programs are all of them. Of memory_kill the kernel gets one of two forms.
var allPrograms = []program{
	{name: processExit}, {name: "process_signal"}, {name: memoryKill},
	{name: "thread_begin"}, {name: markThreads}, {name: "thread_switch"}, {name: "thread_wakeup"},
	{name: "disk_request"}, {name: "writeback_error"},
	{name: "direct_reclaim_begin"}, {name: "direct_reclaim_end"}, {name: "cgroup_reclaim_begin"}, {name: "cgroup_reclaim_end"},
	{name: "pages_added"}, {name: "pages_removed"},
	{name: "tcp_retransmit"}, {name: "tcp_retransmit_synack"}, {name: "tcp_reset_received"}, {name: "tcp_reset_sent"},
	{"fsync_begin", "syscalls", "sys_enter_fsync"}, {"fsync_end", "syscalls", "sys_exit_fsync"},
	{"fdatasync_begin", "syscalls", "sys_enter_fdatasync"}, {"fdatasync_end", "syscalls", "sys_exit_fdatasync"},
}

// ProgramStatus says whether a program runs.
type ProgramStatus struct {
	Name string
	// Err is why it does not run; nil: it does.
	Err error
	// Optional says that nothing is wrong without it.
	Optional bool
}

// Status is what runs.
type Status struct {
	// Err is why nothing runs; nil: Programs have what runs.
	Err      error
	Programs []ProgramStatus
}

// Running counts the programs that run.
func (s Status) Running() (n int) {
	for _, p := range s.Programs {
		if p.Err == nil {
			n++
		}
	}
	return n
}

// runs reports whether all of these programs run.
func (s Status) runs(names ...string) bool {
	if s.Err != nil {
		return false
	}
	for _, name := range names {
		for _, p := range s.Programs {
			if p.Name == name && p.Err != nil {
				return false
			}
		}
	}
	return true
}

// Missing returns why programs do not run that should, one line; empty: all do.
func (s Status) Missing() string {
	if s.Err != nil {
		return s.Err.Error()
	}
	return missingText(s.Programs, func(p ProgramStatus) bool { return !p.Optional })
}
