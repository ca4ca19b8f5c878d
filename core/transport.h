/* transport.h - the TCP headers of one connection: round trips, closes, retransmissions, missed bytes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Each direction is a half. Sequence numbers are unwrapped to 64 bits near the direction's newest one, so
 * that ordinary comparison orders them. A half's `acked` counts in the other half's numbers.
 */
#ifndef KA_TRANSPORT_H
#define KA_TRANSPORT_H

#include "damage.h"
#include "ending.h"
#include "keptalive.h"
#include "silence.h"

/* Payload no message has claimed yet: the beginning of the next message. */
typedef struct ka_unclaimed {
    uint64_t seq; /* 0: none */
    uint64_t ack;
    ka_moment at;
} ka_unclaimed;

/* What few directions have. Exists only once there was some of it. */
typedef struct ka_rare {
    ka_damage damage;
    ka_probing probing;
    uint64_t preamble_end;  /* sequence number one past the PROXY preamble; 0: there was none */
    ka_address proxied_for; /* as it says; version 0: nobody */
} ka_rare;

enum { KA_SIGNATURES = 2 };

/* What only a direction with something under way needs. */
typedef struct ka_half_activity {
    ka_unclaimed unclaimed;
    ka_unclaimed latest; /* the newest segment with payload, claimed or not */
    uint64_t expect_end; /* the head of a request with Expect whose body is not seen; 0: none */
    int64_t resent_ns;   /* when the head under way was last sent again, not being acknowledged; 0: never */
    uint64_t timed_end;  /* an ACK that reaches this gives a round trip; 0: nothing is timed */
    int64_t timed_at_ns;
    int64_t signed_at_ns;
    ka_stall *stall;                    /* NULL: the other side was heard, or nobody had been silent */
    uint32_t signatures[KA_SIGNATURES]; /* of the newest segments, against copies */
    uint8_t signature_count;
    bool timed_handshake;
} ka_half_activity;

/* Given back when nothing is under way, so that an idle connection costs little. */
typedef struct ka_activity {
    ka_half_activity half[2];
} ka_activity;

typedef struct ka_half {
    uint64_t next;    /* one past the newest sequence number seen or acknowledged; 0: none */
    uint64_t acked;   /* newest ACK number this direction sent */
    uint64_t claimed; /* one past the last byte any message or stray claimed */
    ka_ending *ending;
    ka_rare *rare;
    int64_t last_data_ns; /* newest first transmission of payload */
    uint32_t rtt_min_ns;  /* capture point to this direction's receiver and back; UINT32_MAX: no sample */
    uint32_t data_rtt_min_ns;
    uint32_t data_rtt_max_ns;
    uint32_t retransmissions;
    uint16_t mss;           /* the largest segment this side takes; 0: not told */
    uint16_t data_ip_id;    /* of the segment at last_data_ns */
    uint8_t data_rtt_count; /* stays at its largest value: three are enough to tell jitter */
    uint8_t ttl;            /* of the newest segment that was no RST; 0: none */
    uint8_t window_scale;   /* of its SYN, as ka_segment tells it */
    bool seen : 1;
    bool syn : 1;
    bool ttl_varied : 1;
    uint8_t window_bits : 5; /* of the largest window it advertised, unscaled */
} ka_half;

typedef struct ka_transport {
    ka_half half[2];
    ka_activity *activity; /* NULL: nothing is under way */
    ka_moment newest;      /* the largest time, the last frame */
    uint32_t backward_us;  /* how far time ran backward at most, stays at its largest value */
    uint32_t failed_gates; /* those that headers alone show */
} ka_transport;

/* What a segment was, for whoever looks next. */
typedef struct ka_segment_news {
    bool copy;          /* a duplicate packet: ignored */
    bool new_data;      /* payload not seen before */
    bool fin;           /* the first FIN of its direction */
    bool rst;           /* the first RST of its direction */
    bool stalled;       /* sent again after a silence, and nothing is heard of the other side */
    int64_t silence_ns; /* since the segment before; 0: there was none */
    int64_t paused_ns;  /* new payload of a message that had begun: since its payload before; else 0 */
} ka_segment_news;

void ka_transport_init(ka_transport *transport);
void ka_transport_fini(ka_transport *transport, const ka_allocator *allocator);
ka_status ka_transport_segment(ka_transport *transport, const ka_allocator *allocator,
                               const ka_segment *segment, ka_segment_news *news);

/* The 64-bit number nearest to the direction's newest whose low half is seq. */
uint64_t ka_transport_unwrap(const ka_half *half, uint32_t seq);
/* A message, record or stray of that direction ended at `end`; `last` is where its last byte was captured. */
void ka_transport_claim(ka_transport *transport, const ka_allocator *allocator, unsigned direction,
                        uint64_t end, ka_moment last, uint64_t ack);
/* preamble.c: the direction began with a PROXY preamble up to `end`, for that client. */
ka_status ka_transport_preamble(ka_transport *transport, const ka_allocator *allocator, unsigned direction,
                                uint64_t end, const ka_address *client);
/* Whether it sent payload that is no preamble. */
bool ka_transport_spoke(const ka_half *half);
/* Payload no message has claimed yet; seq 0: none. */
ka_unclaimed ka_transport_unclaimed(const ka_transport *transport, unsigned direction);
/* Bytes of [from, to) that the capture does not hold. */
bool ka_transport_unseen(const ka_half *half, uint64_t from, uint64_t to);
/* The byte at seq was captured only as a retransmission. */
bool ka_transport_late(const ka_half *half, uint64_t seq);
uint64_t ka_transport_missed_bytes(const ka_half *half);
/* Data of this direction after a silence, of which nothing was heard; NULL: there is none. */
ka_stall *ka_transport_stall(const ka_transport *transport, unsigned direction);
/* The first FIN or RST of a direction; frame 0: none. */
ka_moment ka_transport_ended(const ka_half *half, ka_how *how);
/* The time from one moment to a later one, or to the first FIN or RST if that is earlier; at least 0. */
int64_t ka_transport_open_ns(const ka_transport *transport, int64_t from_ns, int64_t to_ns);
/* Round trip from the capture point to the receiver of this direction; KA_NONE: never measured. */
int64_t ka_transport_rtt_ns(const ka_half *half);
/* Largest minus smallest data-to-ACK sample; 0 below three samples. */
int64_t ka_transport_jitter_ns(const ka_half *half);

#endif
