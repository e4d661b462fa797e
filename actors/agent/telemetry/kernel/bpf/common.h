/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What all programs share: which process is the node's, histograms, and what is known of its threads. */
#pragma once
#include "types.h"

#define MAX_DEVICES 8 /* disks and file systems of the data directories */

/* A thread of the node, or of the agent: whose it is, what it waits for, and since when, in ns. 0 is not now. */
struct thread {
	__u64 since;
	__u64 reclaim_since;
	__u64 sync_since;
	__u32 waits_for;
	__u32 mark;
};

const struct thread *thread_type __attribute__((unused)); /* so that Go has it, too */

/* Which threads are the node's: what is known of a thread stands with it in the kernel, and goes with it. Ids are not
 * enough: they are others in each namespace, and are used again. The agent marks the first thread of the process;
 * mark_threads marks those that are there already, thread_begin those that begin. The scheduler's programs, which must
 * not allocate, only look. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread);
} threads SEC(".maps");

/* The mark of the node's threads, which is another one for each process that has been the node's, and that of the agent's. */
volatile __u32 node_mark;
#define AGENT_MARK 0xffffffff

static __always_inline struct thread *marked(struct task_struct *task)
{
	if (!task->bpf_storage)
		return NULL; /* as nearly all threads */
	return bpf_task_storage_get(&threads, task, 0, 0);
}

/* node_thread returns what is known of a thread of the node, and NULL of any other. */
static __always_inline struct thread *node_thread(struct task_struct *task)
{
	struct thread *t = marked(task);

	return t && t->mark == node_mark ? t : NULL;
}

/* mark_of returns the mark of a process: that of its first thread. */
static __always_inline __u32 mark_of(struct task_struct *task)
{
	struct task_struct *leader = task->group_leader;
	struct thread *t = leader ? marked(leader) : NULL;

	return t ? t->mark : 0;
}

static __always_inline bool is_node(struct task_struct *task)
{
	__u32 mark = mark_of(task);

	return mark && mark == node_mark;
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
