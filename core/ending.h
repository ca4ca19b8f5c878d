/* ending.h - how one direction of a connection ended: its first FIN and RST.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef KA_ENDING_H
#define KA_ENDING_H

#include "keptalive.h"

/* The first FIN and RST of one direction. Exists only once one was seen. */
typedef struct ka_ending {
    ka_moment fin;
    ka_moment rst;
    ka_moment fin_acked; /* the first ACK of the other side that covers the FIN */
    uint64_t fin_seq;    /* sequence number of the FIN itself */
    uint64_t fin_ack;    /* what its sender had acknowledged by then, itself included */
    uint64_t rst_ack;    /* likewise for the RST */
    ka_moment fin_again; /* the FIN's newest retransmission; frame 0: none */
    ka_moment unheard;   /* the FIN, or what was heard last of the other side behind it */
    uint32_t fin_resent; /* retransmissions of the FIN since then */
    uint8_t rst_ttl;
    bool rst_bare; /* the RST had no ACK: it answers a segment (RFC 9293 section 3.10.7.1) */
} ka_ending;

/* A segment with FIN, and one with RST; true: the first. `acked` is what its sender had acknowledged by then,
 * other_acked what the other side had. */
bool ka_ending_fin(ka_ending *ending, const ka_segment *segment, uint64_t fin_seq, uint64_t acked,
                   uint64_t other_acked);
bool ka_ending_rst(ka_ending *ending, const ka_segment *segment, uint64_t acked);
/* The other side sent something, and had acknowledged so much. */
void ka_ending_heard(ka_ending *ending, uint64_t ack, ka_moment now);

#endif
