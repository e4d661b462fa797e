/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The threads of a process get the mark of its first one. */
#pragma once
#include "common.h"
#include "waits.h"

static __always_inline void mark_thread(struct task_struct *task, struct thread new)
{
	struct thread *t = bpf_task_storage_get(&threads, task, &new, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (t)
		t->mark = new.mark;
}

SEC("tp_btf/task_newtask")
int BPF_PROG(thread_begin, struct task_struct *task)
{
	struct task_struct *leader = task->group_leader;
	__u32 mark;

	if (!leader || leader->pid == task->pid)
		return 0; /* a process of its own */
	mark = mark_of(task);
	if (mark) /* It can run from now on, which the kernel does not tell as it does of a wakeup. */
		mark_thread(task, (struct thread){.mark = mark, .waits_for = WAITS_PROCESSOR, .since = bpf_ktime_get_ns()});
	return 0;
}

/* The number of the node's network namespace, and the mark of the node of which it is. 0: not known yet. */
volatile __u32 node_network;
volatile __u32 network_mark;

/* The agent runs this over all threads after it has marked the first one of a process. It may not look itself in which network that
 * is, if it is another user's. */
SEC("iter/task")
int mark_threads(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct nsproxy *proxy;
	__u32 mark;

	if (!task)
		return 0;
	mark = mark_of(task);
	if (!mark)
		return 0;
	mark_thread(task, (struct thread){.mark = mark, .waits_for = WAITS_RUNS});
	if (mark == AGENT_MARK || mark < network_mark || task->pid != task->tgid)
		return 0; /* not the first thread of the process that was marked last */
	proxy = task->nsproxy;
	if (!proxy)
		return 0;
	network_mark = mark;
	node_network = proxy->net_ns->ns.inum;
	return 0;
}
