/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* How long the node's fsync and fdatasync take, and how they fail. These hooks need tracefs, and make each system call
 * of the machine some ns slower. */
#pragma once
#include "common.h"

enum sync_error { SYNC_EIO = 0, SYNC_ENOSPC = 1, SYNC_EDQUOT = 2, SYNC_OTHER = 3 };

HISTOGRAMS(sync_times, 1);
COUNTERS(sync_errors, 4);

static __always_inline int sync_begins(void)
{
	struct thread *t = node_thread(bpf_get_current_task_btf());

	if (t)
		t->sync_since = bpf_ktime_get_ns();
	return 0;
}

static __always_inline int sync_ends(long error)
{
	struct thread *t = node_thread(bpf_get_current_task_btf());

	if (!t || !t->sync_since)
		return 0;
	observe(&sync_times, 0, bpf_ktime_get_ns() - t->sync_since);
	t->sync_since = 0;
	if (error < 0)
		count(&sync_errors, error == -5 ? SYNC_EIO : error == -28 ? SYNC_ENOSPC : error == -122 ? SYNC_EDQUOT : SYNC_OTHER, 1);
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_fsync")
int fsync_begin(void *ctx) { return sync_begins(); }

SEC("tracepoint/syscalls/sys_exit_fsync")
int fsync_end(struct trace_event_raw_sys_exit *ctx) { return sync_ends(ctx->ret); }

SEC("tracepoint/syscalls/sys_enter_fdatasync")
int fdatasync_begin(void *ctx) { return sync_begins(); }

SEC("tracepoint/syscalls/sys_exit_fdatasync")
int fdatasync_end(struct trace_event_raw_sys_exit *ctx) { return sync_ends(ctx->ret); }
