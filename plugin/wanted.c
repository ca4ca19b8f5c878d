/* wanted.c - the fields of Wireshark's dissectors the audit asks for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "wanted.h"

static const char *const names[WANTED_COUNT] = {
    [WANTED_IP] = "ip",
    [WANTED_IPV6] = "ipv6",
    [WANTED_TCP] = "tcp",
    [WANTED_TCP_STREAM] = "tcp.stream",
    [WANTED_TCP_SEGMENT] = "tcp.segment",
    [WANTED_HTTP] = "http",
    [WANTED_HTTP2] = "http2",
    [WANTED_HTTP2_FIELD] = "http2.header.name",
    [WANTED_TLS_TYPE] = "tls.record.content_type",
    [WANTED_TLS_OPAQUE_TYPE] = "tls.record.opaque_type",
    [WANTED_TLS_SEGMENT] = "tls.segment",
    [WANTED_TLS_HANDSHAKE] = "tls.handshake.type",
    [WANTED_TLS_ALPN] = "tls.handshake.extensions_alpn_str",
    [WANTED_TLS_NAME] = "tls.handshake.extensions_server_name",
    [WANTED_MALFORMED] = "_ws.malformed",
};

static int ids[WANTED_COUNT]; /* the same as long as the program runs; -1: Wireshark has none */

GArray *wanted_ids(void)
{
    GArray *out = g_array_new(FALSE, FALSE, sizeof(int));
    for (unsigned i = 0; i < WANTED_COUNT; i++) {
        ids[i] = proto_registrar_get_id_byname(names[i]);
        if (ids[i] > 0)
            g_array_append_val(out, ids[i]);
    }
    return out;
}

unsigned wanted_count(proto_tree *tree, wanted field)
{
    GPtrArray *items = ids[field] > 0 ? proto_get_finfo_ptr_array(tree, ids[field]) : NULL;
    return items != NULL ? items->len : 0;
}

const field_info *wanted_item(proto_tree *tree, wanted field, unsigned index)
{
    return g_ptr_array_index(proto_get_finfo_ptr_array(tree, ids[field]), index);
}
