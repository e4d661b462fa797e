/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Who ended the node: its exit, the signals that end a process, and kills for lack of memory. */
#pragma once
#include "common.h"

enum event_kind { EVENT_EXIT = 1, EVENT_SIGNAL = 2, EVENT_MEMORY_KILL = 3 };
enum sender { SENDER_KERNEL = 1, SENDER_PROCESS = 2, SENDER_SELF = 3 };
enum victim { VICTIM_OTHER = 0, VICTIM_NODE = 1, VICTIM_AGENT = 2 };

struct event {
	__u64 at; /* ns since the host was started */
	__u32 kind;
	__u32 pid;
	__u32 status; /* as wait(2) has it, or the number of a signal */
	__u32 sender_pid;
	__u32 sender;
	__u32 victim;
	char comm[16];
	char sender_comm[16];
};

const struct event *event_type __attribute__((unused)); /* so that Go has it, too */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} events SEC(".maps");

enum lost { LOST_EVENTS = 0 };
COUNTERS(lost, 1);

/* Signals that end a process by default. Not those of timers and pipes, nor SIGURG, which Go's runtime sends itself. */
#define DEADLY (1u << 1 | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 7 | 1u << 8 | 1u << 9 | 1u << 11 | 1u << 15 | \
		1u << 24 | 1u << 25 | 1u << 31)
/* Those with which a fault of a process's own code ends it. */
#define FAULTS (1u << 4 | 1u << 5 | 1u << 7 | 1u << 8 | 1u << 11)

/* How many signals a second are told of. A process that handles SIGTERM may be sent any number. */
#define SIGNALS_A_SECOND 32
#define SIGKILL 9

struct {
	__u64 second;
	__u64 told;
} signal_rate;

/* The thread of the node to which the kernel itself has sent the last SIGKILL. */
__u32 node_killed;

static __always_inline struct event *begin_event(__u32 kind, struct task_struct *task)
{
	struct event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	__u64 *words = (__u64 *)e;

	if (!e) {
		count(&lost, LOST_EVENTS, 1);
		return NULL;
	}
	for (int i = 0; i < sizeof(*e) / 8; i++)
		words[i] = 0;
	e->at = bpf_ktime_get_boot_ns();
	e->kind = kind;
	if (task) {
		e->pid = task->tgid;
		/* As two numbers: this needs no helper that reads any memory, which some kernels refuse. */
		*(__u64 *)e->comm = *(__u64 *)task->group_leader->comm;
		*(__u64 *)(e->comm + 8) = *(__u64 *)(task->group_leader->comm + 8);
	}
	return e;
}

struct told {
	__u64 started; /* ns since the host was started */
	__u32 pid;
	__u32 kind;
};

/* The exits and memory kills that were told, by their processes. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 128);
	__type(key, struct told);
	__type(value, __u8);
} ended SEC(".maps");

/* The last two threads may end at once on two processors. Then each of them is told that no other is left. And of a process
 * that is killed for lack of memory, each thread that needs more until it has ended is a victim. */
static __always_inline bool is_told(struct task_struct *task, __u32 kind)
{
	struct told of = {.started = task->group_leader->start_time, .pid = task->tgid, .kind = kind};
	__u8 yes = 1;

	return bpf_map_update_elem(&ended, &of, &yes, BPF_NOEXIST) == -17; /* EEXIST */
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exit, struct task_struct *task)
{
	struct event *e;
	int status;

	if (!is_node(task))
		return 0;
	if (task->signal->live.counter != 0 || is_told(task, EVENT_EXIT))
		return 0; /* other threads go on */
	e = begin_event(EVENT_EXIT, task);
	if (!e)
		return 0;
	status = task->signal->group_exit_code;
	e->status = status ? status : task->exit_code;
	bpf_ringbuf_submit(e, 0);
	return 0;
}

static __always_inline bool too_many_signals(void)
{
	__u64 second = bpf_ktime_get_boot_ns() >> 30;

	if (signal_rate.second != second) {
		signal_rate.second = second;
		signal_rate.told = 0;
	}
	if (__sync_fetch_and_add(&signal_rate.told, 1) < SIGNALS_A_SECOND)
		return false;
	count(&lost, LOST_EVENTS, 1);
	return true;
}

/* The information is not read: what stands there is no pointer when the kernel (1) or a process (0) says nothing more. */
SEC("tp_btf/signal_generate")
int BPF_PROG(process_signal, int sig, void *info, struct task_struct *task, int group, int result)
{
	struct task_struct *current;
	struct event *e;
	bool self;

	if (sig < 0 || sig > 31 || !(DEADLY & 1u << sig) || result != 0 || !is_node(task))
		return 0;
	if (sig == SIGKILL && (__u64)info == 1)
		node_killed = task->pid;
	if (sig != SIGKILL && too_many_signals()) /* A process gets only one SIGKILL. */
		return 0;
	e = begin_event(EVENT_SIGNAL, task);
	if (!e)
		return 0;
	current = bpf_get_current_task_btf();
	self = current->tgid == task->tgid;
	e->status = sig;
	if ((__u64)info == 1 || (self && (FAULTS & 1u << sig))) {
		e->sender = SENDER_KERNEL;
	} else {
		e->sender = self ? SENDER_SELF : SENDER_PROCESS;
		e->sender_pid = current->tgid;
		bpf_get_current_comm(e->sender_comm, sizeof(e->sender_comm));
	}
	bpf_ringbuf_submit(e, 0);
	return 0;
}

static __always_inline int tell_memory_kill(struct task_struct *task)
{
	__u32 mark = mark_of(task);
	struct event *e;

	if (is_told(task, EVENT_MEMORY_KILL))
		return 0;
	e = begin_event(EVENT_MEMORY_KILL, task);
	if (!e)
		return 0;
	e->victim = !mark ? VICTIM_OTHER : mark == node_mark ? VICTIM_NODE : mark == AGENT_MARK ? VICTIM_AGENT : VICTIM_OTHER;
	bpf_ringbuf_submit(e, 0);
	return 0;
}

SEC("tp_btf/mark_victim")
int BPF_PROG(memory_kill, struct task_struct *task) { return tell_memory_kill(task); }

/* Before 6.8 only the id of the victim's thread is told. A process that needs memory is most often the victim itself; else the
 * node is known by the signal, which the kernel sends before. */
SEC("tp_btf/mark_victim")
int BPF_PROG(memory_kill_by_id, int pid)
{
	struct task_struct *current = bpf_get_current_task_btf();
	struct event *e;

	if (pid == current->pid || pid == current->tgid)
		return tell_memory_kill(current);
	e = begin_event(EVENT_MEMORY_KILL, NULL);
	if (!e)
		return 0;
	e->pid = pid;
	e->victim = pid == node_killed ? VICTIM_NODE : VICTIM_OTHER;
	bpf_ringbuf_submit(e, 0);
	return 0;
}
