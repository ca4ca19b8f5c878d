/* facts.h - the core's fact functions as a table, so that tests can listen in.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef STREAM_FACTS_H
#define STREAM_FACTS_H

#include "keptalive.h"

/* Each is the ka_ function of the same name; its contract is in keptalive.h. */
typedef struct stream_facts {
    ka_status (*connection_open)(ka_audit *audit, uint32_t stream, const ka_address ends[2], void *owner,
                                 ka_connection **out);
    ka_status (*segment_seen)(ka_audit *audit, ka_connection *connection, const ka_segment *segment);
    bool (*was_reset)(const ka_connection *connection);
    ka_status (*message_seen)(ka_audit *audit, ka_connection *connection, const ka_message *message);
    void (*head_seen)(ka_connection *connection, const ka_message *head);
    ka_status (*stray_seen)(ka_audit *audit, ka_connection *connection, const ka_bytes *stray);
    ka_status (*preamble_seen)(ka_audit *audit, ka_connection *connection, const ka_bytes *preamble,
                               const ka_address *client);
    ka_status (*tls_record_seen)(ka_audit *audit, ka_connection *connection, const ka_bytes *record);
    ka_status (*tls_alpn_seen)(ka_audit *audit, ka_connection *connection, bool by_client, unsigned alpn);
    ka_status (*tls_name_seen)(ka_audit *audit, ka_connection *connection, unsigned direction, ka_slice name);
    ka_status (*h2_frame_seen)(ka_audit *audit, ka_connection *connection, const ka_h2_frame *frame);
    ka_status (*h2_field_seen)(ka_audit *audit, ka_connection *connection, unsigned direction, ka_slice name,
                               ka_moment at);
    void (*protocol_seen)(ka_connection *connection, ka_protocol protocol);
    void (*gate_failed)(ka_connection *connection, ka_gate gate);
    ka_status (*connection_end)(ka_audit *audit, ka_connection *connection, ka_gate why);
    ka_status (*time_passed)(ka_audit *audit, int64_t time_ns);
} stream_facts;

extern const stream_facts stream_facts_core;

#endif
