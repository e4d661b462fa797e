/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Threads of the node that must free memory before they get some, and the page cache of the data directories. */
#pragma once
#include "common.h"

enum reclaim { RECLAIM_DIRECT = 0, RECLAIM_CGROUP = 1 };
HISTOGRAMS(reclaim_times, 2);

static __always_inline int reclaim_begins(void)
{
	struct thread *t = node_thread(bpf_get_current_task_btf());

	if (t)
		t->reclaim_since = bpf_ktime_get_ns();
	return 0;
}

static __always_inline int reclaim_ends(__u32 kind)
{
	struct thread *t = node_thread(bpf_get_current_task_btf());

	if (!t || !t->reclaim_since)
		return 0;
	observe(&reclaim_times, kind, bpf_ktime_get_ns() - t->reclaim_since);
	t->reclaim_since = 0;
	return 0;
}

SEC("tp_btf/mm_vmscan_direct_reclaim_begin")
int BPF_PROG(direct_reclaim_begin) { return reclaim_begins(); }

SEC("tp_btf/mm_vmscan_direct_reclaim_end")
int BPF_PROG(direct_reclaim_end) { return reclaim_ends(RECLAIM_DIRECT); }

SEC("tp_btf/mm_vmscan_memcg_reclaim_begin")
int BPF_PROG(cgroup_reclaim_begin) { return reclaim_begins(); }

SEC("tp_btf/mm_vmscan_memcg_reclaim_end")
int BPF_PROG(cgroup_reclaim_end) { return reclaim_ends(RECLAIM_CGROUP); }

enum page_cache { ADDED_BY_NODE = 0, ADDED_BY_KERNEL = 1, REMOVED_BY_NODE = 2, REMOVED_BY_KERNEL = 3 };

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} page_cache SEC(".maps");

/* pages_of returns how many pages a folio is. */
static __always_inline __u64 pages_of(struct folio *folio)
{
	struct folio___flags_struct *newer = (void *)folio;
	struct folio___order *older = (void *)folio;
	unsigned long flags;
	__u32 order;

	if (bpf_core_field_exists(newer->flags.f))
		flags = newer->flags.f;
	else
		flags = folio->flags;
	if (!(flags & 1ul << bpf_core_enum_value(enum pageflags, PG_head)))
		return 1;
	if (bpf_core_field_exists(older->_folio_order))
		order = older->_folio_order;
	else
		order = folio->_flags_1 & 0xff;
	return 1ull << (order & 31);
}

/* What a thread of the node frees because it must is the kernel's doing. */
static __always_inline bool by_node(void)
{
	struct thread *t = node_thread(bpf_get_current_task_btf());

	return t && !t->reclaim_since;
}

SEC("tp_btf/mm_filemap_add_to_page_cache")
int BPF_PROG(pages_added, struct folio *folio)
{
	if (file_system_of(folio->mapping))
		count(&page_cache, by_node() ? ADDED_BY_NODE : ADDED_BY_KERNEL, pages_of(folio));
	return 0;
}

SEC("tp_btf/mm_filemap_delete_from_page_cache")
int BPF_PROG(pages_removed, struct folio *folio)
{
	if (file_system_of(folio->mapping))
		count(&page_cache, by_node() ? REMOVED_BY_NODE : REMOVED_BY_KERNEL, pages_of(folio));
	return 0;
}
