/* frame_facts.c - what of a frame the later passes show.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "frame_facts.h"

static int protocol_id;

void frame_facts_register(int protocol)
{
    protocol_id = protocol;
}

frame_fact *frame_facts_add(packet_info *pinfo, frame_fact_kind kind, uint32_t stream)
{
    frame_fact *added = wmem_new(wmem_file_scope(), frame_fact);
    *added = (frame_fact){
        .kind = kind,
        .stream = stream,
        .number = KA_NONE,
        .idle_ns = KA_NONE,
        .margin_ns = KA_NONE,
        .deadline_ns = KA_NONE,
        .timeout_s = KA_NONE,
        .max = KA_NONE,
        .remaining = KA_NONE,
    };
    frame_fact *at = p_get_proto_data(wmem_file_scope(), pinfo, protocol_id, 0);
    if (at == NULL) {
        p_add_proto_data(wmem_file_scope(), pinfo, protocol_id, 0, added);
        return added;
    }
    while (at->next != NULL)
        at = at->next;
    at->next = added;
    return added;
}

const frame_fact *frame_facts_of(packet_info *pinfo)
{
    return p_get_proto_data(wmem_file_scope(), pinfo, protocol_id, 0);
}
