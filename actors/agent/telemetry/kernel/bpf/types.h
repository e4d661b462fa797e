/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The fields of the kernel's structures that the programs read. Their offsets are looked up in the kernel's own
 * description of its types when the programs are loaded. A name after three underscores is another version's. */
#pragma once
#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

struct signal_struct {
	atomic_t live;
	int group_exit_code;
};

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

struct nsproxy {
	struct net *net_ns;
};

struct task_struct {
	unsigned int __state;
	unsigned int in_iowait : 1;
	int pid;
	int tgid;
	int exit_code;
	__u64 start_time;
	struct task_struct *group_leader;
	struct signal_struct *signal;
	struct nsproxy *nsproxy;
	void *bpf_storage;
	char comm[16];
};

struct super_block {
	__u32 s_dev;
};

struct inode {
	struct super_block *i_sb;
};

struct address_space {
	struct inode *host;
};

/* Since 6.18 the flags are a structure. */
typedef struct {
	unsigned long f;
} memdesc_flags_t;

struct folio___flags_struct {
	memdesc_flags_t flags;
};

struct folio {
	unsigned long flags;
	struct address_space *mapping;
	unsigned long _flags_1;
};

/* Before 6.6 the order has a field of its own. */
struct folio___order {
	unsigned char _folio_order;
};

enum pageflags {
	PG_head = 6,
};

struct gendisk {
	int major;
	int first_minor;
};

struct request_queue {
	struct gendisk *disk;
};

struct request {
	struct request_queue *q;
	__u32 cmd_flags;
	__u32 rq_flags;
	unsigned int __data_len;
	__u64 start_time_ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct in6_addr {
	union {
		__u8 u6_addr8[16];
		__u32 u6_addr32[4];
	} in6_u;
};

struct sock_common {
	__u32 skc_daddr;
	unsigned short skc_family;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
};

struct sock {
	struct sock_common __sk_common;
};

/* A connection that is being made by the other end. */
struct request_sock {
	struct sock_common __req_common;
};

struct sk_buff {
	char cb[48];
};

/* What stands in cb of a packet of TCP. */
struct tcp_skb_cb {
	__u16 tcp_gso_segs;
};

struct bpf_iter__task {
	void *meta;
	struct task_struct *task;
};

struct trace_event_raw_sys_exit {
	long ret;
};

#pragma clang attribute pop
