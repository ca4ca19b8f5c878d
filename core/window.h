/* window.h - the window of sequence numbers that a receiver takes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef KA_WINDOW_H
#define KA_WINDOW_H

#include "transport.h"

/* A segment of that side: what window it advertises. */
void ka_window_note(ka_half *half, const ka_segment *segment);

/* Whether an RST of `sender` is one that its receiver obeys. RFC 9293 section 3.10.7.4 wants its number in
 * the window, RFC 5961 section 3.2 exactly where the next byte is expected; what the receiver expects by then
 * is known from its ACKs only as far as they were captured. */
bool ka_window_takes_reset(const ka_half *sender, const ka_half *receiver, const ka_segment *rst);

/* The receiver has sent a SYN, and the first that comes of this sender acknowledges something far from it:
 * its system still has an earlier connection with the same ports (RFC 9293 section 3.5.1). */
bool ka_window_is_older(const ka_half *sender, const ka_half *receiver, const ka_segment *segment);

#endif
