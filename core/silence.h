/* silence.h - one side of a connection speaks, and nothing is heard of the other.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef KA_SILENCE_H
#define KA_SILENCE_H

#include "keptalive.h"

/* Shorter pauses are not remembered: nothing on the way forgets a connection so soon. */
#define KA_SILENCE_NS KA_SECOND_NS

/* The first data of a direction after nobody had sent anything for KA_SILENCE_NS, until the other side is
 * heard again. An RST does not count as heard: others send them in its name. */
typedef struct ka_stall {
    uint64_t seq;         /* of its first byte */
    ka_moment first;      /* its first transmission */
    ka_moment again;      /* its newest retransmission; frame 0: none */
    int64_t silence_ns;   /* before it */
    uint32_t resent;      /* how often that byte was sent again */
    bool heard_elsewhere; /* meanwhile the server answered on another connection */
} ka_stall;

/* TCP keepalive probes of a direction since its last byte. */
typedef struct ka_probing {
    uint64_t after; /* sequence number: a series ends when there is a newer byte */
    ka_moment first;
    ka_moment latest;
    ka_moment unheard_from; /* the first that is not answered; frame 0: none */
    uint32_t sent;
    uint32_t answered;
    uint32_t unanswered; /* since the other side was heard last */
} ka_probing;

/* *stall is made when there is none: an older one goes on. */
ka_status ka_stall_begin(ka_stall **stall, const ka_allocator *allocator, const ka_segment *segment,
                         uint64_t from, int64_t silence_ns);
/* Old data from `from` on was sent again; true when that is what stalls. */
bool ka_stall_resent(ka_stall *stall, const ka_segment *segment, uint64_t from);
void ka_stall_end(ka_stall **stall, const ka_allocator *allocator);

void ka_probing_sent(ka_probing *probing, uint64_t next, ka_moment now);
/* Anything of the other side answers. */
void ka_probing_heard(ka_probing *probing);

#endif
