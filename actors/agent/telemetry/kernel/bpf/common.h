/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What all programs share: which process is the node's, histograms, and what is known of its threads. */
#pragma once
#include "types.h"

#define MAX_THREADS 8192 /* of the node, as far as they wait */
#define MAX_DEVICES 8    /* disks and file systems of the data directories */

enum mark { MARK_NODE = 1, MARK_AGENT = 2 };

/* Which process is the node's, and which the agent's: a mark on the first thread of the process, which goes
 * with it. Ids are not enough: they are others in each namespace, and are used again. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u32);
} marks SEC(".maps");

static __always_inline __u32 mark_of(struct task_struct *task)
{
	struct task_struct *leader = task->group_leader;
	__u32 *mark;

	if (!leader || !leader->bpf_storage)
		return 0; /* as of all processes but two */
	mark = bpf_task_storage_get(&marks, leader, 0, 0);
	return mark ? *mark : 0;
}

static __always_inline bool is_node(struct task_struct *task) { return mark_of(task) == MARK_NODE; }

/* A thread of the node: what it waits for, and since when, in ns. 0 is not now. */
struct thread {
	__u64 since;
	__u64 reclaim_since;
	__u64 sync_since;
	__u32 waits_for;
};

/* A thread has an entry from its first wait to its end. All are allocated at once, for the scheduler's programs
 * must not allocate. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_THREADS);
	__type(key, __u32);
	__type(value, struct thread);
} threads SEC(".maps");

static __always_inline struct thread *thread_of(__u32 tid)
{
	struct thread *t = bpf_map_lookup_elem(&threads, &tid);
	struct thread none = {};

	if (t)
		return t;
	bpf_map_update_elem(&threads, &tid, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&threads, &tid);
}

/* Slot i counts what took at most 2^i microseconds and more than slot i-1, the last one what took longer. */
#define SLOTS 26

struct histogram {
	__u64 sum; /* ns */
	__u64 slots[SLOTS];
};

/* slot_of returns bits((ns-1)/1000), at most SLOTS-1. */
static __always_inline __u32 slot_of(__u64 ns)
{
	__u32 us, bits = 0, more;

	if (ns <= 1000)
		return 0;
	if (ns > 16777216000)
		return SLOTS - 1;
	us = ((ns - 1) >> 3) * 2199023256 >> 38; /* (ns-1)/1000, exact below 2^35, without a division */
	more = (us > 0xffff) << 4;
	us >>= more;
	bits |= more;
	more = (us > 0xff) << 3;
	us >>= more;
	bits |= more;
	more = (us > 0xf) << 2;
	us >>= more;
	bits |= more;
	more = (us > 3) << 1;
	us >>= more;
	bits |= more;
	bits += us > 1;
	bits += 1;
	asm volatile("%0 &= 31" : "+r"(bits)); /* the compiler would check one copy and use another */
	return bits < SLOTS ? bits : SLOTS - 1;
}

/* observe counts a duration. Several programs may do so on one CPU at once. */
static __always_inline void observe(void *histograms, __u32 which, __u64 ns)
{
	struct histogram *h = bpf_map_lookup_elem(histograms, &which);
	__u32 slot = slot_of(ns);

	if (!h || slot >= SLOTS)
		return;
	__sync_fetch_and_add(&h->sum, ns);
	__sync_fetch_and_add(&h->slots[slot], 1);
}

static __always_inline void count(void *counters, __u32 which, __u64 n)
{
	__u64 *c = bpf_map_lookup_elem(counters, &which);

	if (c)
		__sync_fetch_and_add(c, n);
}

#define HISTOGRAMS(name, n)                          \
	struct {                                     \
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); \
		__uint(max_entries, n);              \
		__type(key, __u32);                  \
		__type(value, struct histogram);     \
	} name SEC(".maps")

#define COUNTERS(name, n)                            \
	struct {                                     \
		__uint(type, BPF_MAP_TYPE_ARRAY);    \
		__uint(max_entries, n);              \
		__type(key, __u32);                  \
		__type(value, __u64);                \
	} name SEC(".maps")

/* The file systems of the data directories, by the number of their device: which one of them it is. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2 * MAX_DEVICES);
	__type(key, __u32);
	__type(value, __u32);
} file_systems SEC(".maps");

static __always_inline __u32 *file_system_of(struct address_space *mapping)
{
	struct inode *inode = mapping ? mapping->host : NULL;
	struct super_block *sb = inode ? inode->i_sb : NULL;
	__u32 dev = sb ? sb->s_dev : 0;

	return sb ? bpf_map_lookup_elem(&file_systems, &dev) : NULL;
}
