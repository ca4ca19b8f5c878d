/* http_facts.h - the HTTP/1 messages Wireshark shows in a frame, told to the core.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PLUGIN_HTTP_FACTS_H
#define PLUGIN_HTTP_FACTS_H

#include "collect.h"

/* Messages that waited for bytes this frame brings, then those it shows. */
void http_facts_tell(collect_frame *frame);

/* How many http items of this frame do not lie in TCP's own bytes: TLS was decrypted. */
unsigned http_facts_decrypted(const collect_frame *frame);

/* Decrypted bytes are longer on the wire: what is shown in a frame is taken to end where the frame's payload
 * ends, or, of several messages, at made-up places in order: of the index-th of so many [*seq, *end). */
void http_facts_place_decrypted(const collect_frame *frame, unsigned index, unsigned count, uint32_t *seq,
                                uint32_t *end);

#endif
