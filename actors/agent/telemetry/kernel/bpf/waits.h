/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What the node's threads wait for. */
#pragma once
#include "common.h"

#define TASK_UNINTERRUPTIBLE 0x2
#define TASK_NOLOAD 0x400

enum waits { WAITS_DISK = 0, WAITS_PROCESSOR = 1, WAITS_OTHER = 2, WAITS_IDLE = 3, WAITS_RUNS = 4 };
HISTOGRAMS(wait_times, 3);

/* Whether the scheduler tells the state in which it has found a thread: since 5.18. Before, it is that of the thread,
 * which another processor may have changed by then. */
const volatile bool has_prev_state = true;

static __always_inline void ends_wait(struct thread *t, __u64 now)
{
	__u32 what = t->waits_for;
	struct histogram *h;
	__u64 ns = now - t->since;
	__u32 slot;

	if (what > WAITS_OTHER)
		return;
	h = bpf_map_lookup_elem(&wait_times, &what);
	slot = slot_of(ns);
	if (!h || slot >= SLOTS)
		return;
	h->sum += ns; /* The scheduler's programs are not interrupted. */
	h->slots[slot] += 1;
}

static __always_inline __u32 what_it_waits_for(struct task_struct *task, bool preempted, __u64 state)
{
	/* It may have been woken since it was found to wait: that was told then. Before 6.15 it may also have a signal to handle. */
	if (preempted || !state || !task->__state)
		return WAITS_PROCESSOR;
	if (!(state & TASK_UNINTERRUPTIBLE) || state & TASK_NOLOAD)
		return WAITS_IDLE; /* it may wait for work, which is no trouble */
	return BPF_CORE_READ_BITFIELD(task, in_iowait) ? WAITS_DISK : WAITS_OTHER;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(thread_switch, bool preempted, struct task_struct *prev, struct task_struct *next)
{
	struct thread *ends = node_thread(prev), *begins = node_thread(next);
	__u64 now, state;

	if (!ends && !(begins && begins->waits_for <= WAITS_OTHER)) {
		if (begins)
			begins->waits_for = WAITS_RUNS;
		return 0;
	}
	now = bpf_ktime_get_ns();
	if (ends) {
		state = has_prev_state ? ctx[3] : prev->__state;
		ends->since = now;
		ends->waits_for = what_it_waits_for(prev, preempted, state);
	}
	if (begins) {
		ends_wait(begins, now);
		begins->waits_for = WAITS_RUNS;
	}
	return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(thread_wakeup, struct task_struct *task)
{
	struct thread *t = node_thread(task);
	__u64 now;

	if (!t || t->waits_for == WAITS_PROCESSOR || t->waits_for == WAITS_RUNS)
		return 0;
	now = bpf_ktime_get_ns();
	ends_wait(t, now);
	t->since = now;
	t->waits_for = WAITS_PROCESSOR;
	return 0;
}
