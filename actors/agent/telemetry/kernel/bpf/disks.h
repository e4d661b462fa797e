/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The disks of the data directories: how long requests take, of whomever, and which fail. */
#pragma once
#include "common.h"

enum operation { OPERATION_READ = 0, OPERATION_WRITE = 1, OPERATION_FLUSH = 2, OPERATION_DISCARD = 3, OPERATIONS = 4 };
#define REQ_OP_MASK 0xff
#define REQ_OP_WRITE_ZEROES 9

/* The disks, by their numbers: which one of them it is. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2 * MAX_DEVICES);
	__type(key, __u32);
	__type(value, __u32);
} disks SEC(".maps");

HISTOGRAMS(disk_times, MAX_DEVICES * OPERATIONS);
COUNTERS(disk_errors, MAX_DEVICES * OPERATIONS);

/* The kernel has the time of a request's begin in the request. It counts from when the request was made, so it has
 * the time in the queue, as /proc/diskstats does. */
SEC("tp_btf/block_rq_complete")
int BPF_PROG(disk_request, struct request *rq, __u64 error, unsigned int bytes)
{
	struct gendisk *disk = rq->q->disk;
	__u32 op = rq->cmd_flags & REQ_OP_MASK, dev, *number, which;
	__u64 begin;

	if (!disk)
		return 0;
	dev = disk->major << 20 | disk->first_minor;
	number = bpf_map_lookup_elem(&disks, &dev);
	if (!number || *number >= MAX_DEVICES)
		return 0;
	if (op == REQ_OP_WRITE_ZEROES)
		op = OPERATION_WRITE;
	if (op >= OPERATIONS)
		return 0;
	which = *number * OPERATIONS + op;
	if ((__u8)error)
		count(&disk_errors, which, 1);
	if (bytes < rq->__data_len)
		return 0; /* a part of it */
	begin = rq->start_time_ns;
	if (!begin)
		begin = rq->io_start_time_ns;
	if (begin)
		observe(&disk_times, which, bpf_ktime_get_ns() - begin);
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
