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

/* The agent runs this over all threads after it has marked the first one of a process. */
SEC("iter/task")
int mark_threads(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	__u32 mark;

	if (!task)
		return 0;
	mark = mark_of(task);
	if (mark)
		mark_thread(task, (struct thread){.mark = mark, .waits_for = WAITS_RUNS});
	return 0;
}
