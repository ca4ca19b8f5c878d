/* facts.c - the core's fact functions as a table, so that tests can listen in.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "stream/facts.h"

const stream_facts stream_facts_core = {
    .connection_open = ka_connection_open,
    .segment_seen = ka_segment_seen,
    .was_reset = ka_connection_was_reset,
    .message_seen = ka_message_seen,
    .head_seen = ka_head_seen,
    .stray_seen = ka_stray_seen,
    .preamble_seen = ka_preamble_seen,
    .tls_record_seen = ka_tls_record_seen,
    .tls_alpn_seen = ka_tls_alpn_seen,
    .tls_name_seen = ka_tls_name_seen,
    .h2_frame_seen = ka_h2_frame_seen,
    .h2_field_seen = ka_h2_field_seen,
    .protocol_seen = ka_protocol_seen,
    .gate_failed = ka_gate_failed,
    .connection_end = ka_connection_end,
    .time_passed = ka_time_passed,
};
