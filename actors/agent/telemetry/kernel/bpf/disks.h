/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The disks of the data directories: how long requests take, of whomever, and which fail. */
#pragma once
#include "common.h"

enum operation { OPERATION_READ = 0, OPERATION_WRITE = 1, OPERATION_FLUSH = 2, OPERATION_DISCARD = 3, OPERATIONS = 4 };
#define REQ_OP_MASK 0xff
#define REQ_OP_WRITE_ZEROES 9

/* The numbers of the disks, and how many there are. */
volatile __u32 disk_numbers[MAX_DEVICES];
volatile __u32 disk_count;

static __always_inline __u32 disk_of(__u32 number)
{
	__u32 n = disk_count;

	for (__u32 i = 0; i < MAX_DEVICES; i++)
		if (i < n && disk_numbers[i] == number)
			return i;
	return MAX_DEVICES;
}

HISTOGRAMS(disk_times, MAX_DEVICES * OPERATIONS);
COUNTERS(disk_errors, MAX_DEVICES * OPERATIONS);

/* Flags of requests, as masks. Their bits differ between versions of the kernel. */
const volatile __u32 flag_flush_sequence = 1 << 1;
const volatile __u32 flag_statistics = 1 << 8;

/* The kernel has the time of a request's begin in the request. It counts from when the request was made, so it has
 * the time in the queue, as /proc/diskstats does. A request that is not counted there has no such time, or an old one.
 * A write with a flush before or after it is told of twice: in between, and when all is done. */
SEC("tp_btf/block_rq_complete")
int BPF_PROG(disk_request, struct request *rq, __u64 error, unsigned int bytes)
{
	struct gendisk *disk = rq->q->disk;
	__u32 op = rq->cmd_flags & REQ_OP_MASK, which, slot;
	struct histogram *h;
	__u64 begin, ns;

	if (!disk)
		return 0;
	which = disk_of(disk->major << 20 | disk->first_minor);
	if (which == MAX_DEVICES)
		return 0;
	if (op == REQ_OP_WRITE_ZEROES)
		op = OPERATION_WRITE;
	if (op >= OPERATIONS || (op != OPERATION_FLUSH && rq->rq_flags & flag_flush_sequence))
		return 0;
	which = which * OPERATIONS + op;
	if ((__u8)error)
		count(&disk_errors, which, 1);
	if (bytes < rq->__data_len)
		return 0; /* a part of it */
	if (op != OPERATION_FLUSH && !(rq->rq_flags & flag_statistics))
		return 0;
	begin = rq->start_time_ns;
	h = bpf_map_lookup_elem(&disk_times, &which);
	if (!h || !begin)
		return 0;
	ns = bpf_ktime_get_ns() - begin;
	slot = slot_of(ns);
	if (slot >= SLOTS)
		return 0;
	h->sum += ns; /* This program alone counts here, and on one processor never twice at once. */
	h->slots[slot] += 1;
	return 0;
}

COUNTERS(writeback_errors, MAX_DEVICES);

/* Data that was written to a file, and could not be written to the disk: it is lost unless it is written again. */
SEC("tp_btf/filemap_set_wb_err")
int BPF_PROG(writeback_error, struct address_space *mapping)
{
	__u32 *number = file_system_of(mapping);

	if (number)
		count(&writeback_errors, *number, 1);
	return 0;
}
