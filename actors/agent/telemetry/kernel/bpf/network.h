/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* TCP in the node's network namespace: which of the connections to others is bad. A socket belongs to no thread, so with the
 * host's network these are connections of the whole host. */
#pragma once
#include "common.h"
#include "threads.h"

#define MAX_PEERS 32
#define AF_INET 2
#define AF_INET6 10

struct peer {
	__u64 retransmits;
	__u64 resets_received;
	__u64 resets_sent;
};

const struct peer *peer_type __attribute__((unused));

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_PEERS);
	__type(key, struct in6_addr);
	__type(value, struct peer);
} peers SEC(".maps");

/* Those for which there is no room, and those of which the address is not known. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct peer);
} other_peers SEC(".maps");

/* peer_of returns the counters of a socket's other end; of a socket that is not in the node's namespace NULL. */
static __always_inline struct peer *peer_of(struct sock_common *sk)
{
	struct peer none = {}, *p = NULL;
	struct in6_addr addr = {};
	__u32 zero = 0;

	if (!node_network || sk->skc_net.net->ns.inum != node_network)
		return NULL;
	if (sk->skc_family == AF_INET) {
		addr.in6_u.u6_addr32[3] = sk->skc_daddr;
	} else if (sk->skc_family == AF_INET6) {
		addr.in6_u.u6_addr32[0] = sk->skc_v6_daddr.in6_u.u6_addr32[0];
		addr.in6_u.u6_addr32[1] = sk->skc_v6_daddr.in6_u.u6_addr32[1];
		addr.in6_u.u6_addr32[2] = sk->skc_v6_daddr.in6_u.u6_addr32[2];
		addr.in6_u.u6_addr32[3] = sk->skc_v6_daddr.in6_u.u6_addr32[3];
	} else {
		return NULL;
	}
	/* A socket that listens has no other end. It answers what comes for connections of before it. */
	if (addr.in6_u.u6_addr32[0] | addr.in6_u.u6_addr32[1] | addr.in6_u.u6_addr32[2] | addr.in6_u.u6_addr32[3]) {
		if (sk->skc_family == AF_INET) {
			addr.in6_u.u6_addr8[10] = 0xff;
			addr.in6_u.u6_addr8[11] = 0xff;
		}
		p = bpf_map_lookup_elem(&peers, &addr);
		if (!p) {
			bpf_map_update_elem(&peers, &addr, &none, BPF_NOEXIST);
			p = bpf_map_lookup_elem(&peers, &addr);
		}
	}
	return p ? p : bpf_map_lookup_elem(&other_peers, &zero);
}

/* A packet that is sent again may be several segments, which the device makes of it. */
static __always_inline __u16 segments_of(struct sk_buff *packet)
{
	__u16 n = *(__u16 *)(packet->cb + bpf_core_field_offset(struct tcp_skb_cb, tcp_gso_segs));

	return n ? n : 1;
}

/* Whether those that could not be sent are told, too, with the error: since 6.17. One that was not sent yet the first time is of these. */
const volatile bool has_retransmit_error = true;

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(tcp_retransmit, struct sock *sk, struct sk_buff *packet)
{
	struct peer *p;

	if (has_retransmit_error && (int)ctx[2])
		return 0;
	p = peer_of(&sk->__sk_common);
	if (p)
		__sync_fetch_and_add(&p->retransmits, segments_of(packet));
	return 0;
}

/* The answer to one that connects has no socket of its own yet. */
SEC("tp_btf/tcp_retransmit_synack")
int BPF_PROG(tcp_retransmit_synack, struct sock *listens, struct request_sock *request)
{
	struct peer *p = peer_of(&request->__req_common);

	if (p)
		__sync_fetch_and_add(&p->retransmits, 1);
	return 0;
}

SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(tcp_reset_received, struct sock *sk)
{
	struct peer *p = peer_of(&sk->__sk_common);

	if (p)
		__sync_fetch_and_add(&p->resets_received, 1);
	return 0;
}

/* A reset that answers a packet for no socket has none, and is not counted. */
SEC("tp_btf/tcp_send_reset")
int BPF_PROG(tcp_reset_sent, struct sock *sk)
{
	struct peer *p = sk ? peer_of(&sk->__sk_common) : NULL;

	if (p)
		__sync_fetch_and_add(&p->resets_sent, 1);
	return 0;
}
