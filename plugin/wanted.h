/* wanted.h - the fields of Wireshark's dissectors the audit asks for. Every one costs time on every frame.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PLUGIN_WANTED_H
#define PLUGIN_WANTED_H

#include "compat.h"

typedef enum wanted {
    WANTED_IP,
    WANTED_IPV6,
    WANTED_TCP,
    WANTED_TCP_STREAM,
    WANTED_TCP_SEGMENT, /* of a reassembled PDU: which frame brought which bytes */
    WANTED_HTTP,
    WANTED_HTTP2,
    WANTED_HTTP2_FIELD,     /* the name of one, decoded */
    WANTED_TLS_TYPE,        /* at the start of a record; in TLS 1.3 what is inside, when decrypted */
    WANTED_TLS_OPAQUE_TYPE, /* at the start of an encrypted record of TLS 1.3 */
    WANTED_TLS_SEGMENT,
    WANTED_TLS_HANDSHAKE, /* the type of a handshake message */
    WANTED_TLS_ALPN,      /* a name in a hello */
    WANTED_TLS_NAME,      /* of the server */
    WANTED_MALFORMED,     /* a dissector gave up */
    WANTED_COUNT
} wanted;

/* Looks the fields up and returns their ids, for set_postdissector_wanted_hfids, which then owns them. */
GArray *wanted_ids(void);

/* The items of one field in this frame, in the order of their dissection. */
unsigned wanted_count(proto_tree *tree, wanted field);
const field_info *wanted_item(proto_tree *tree, wanted field, unsigned index);

#endif
