/* tls.c - what the records of one TLS connection tell without keys.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tls.h"

#include "memory.h"

enum { ALERT = 21, APPLICATION_DATA = 23 };
/* Header of 5, alert of 2, content type of 1, tag of 16 (RFC 8446 section 5.2): an alert inside application
 * data. No cipher suite of TLS 1.2 makes data so short. */
enum { TLS13_ALERT_BYTES = 24 };
/* Header and alert: in clear, so of a handshake that failed. */
enum { CLEAR_ALERT_BYTES = 7 };
/* Where HTTP needs no ALPN to be expected: https, and its usual substitute. */
enum { PORT_HTTPS = 443, PORT_HTTPS_ALT = 8443 };

ka_tls *ka_tls_new(const ka_allocator *allocator)
{
    ka_tls *tls = ka_memory_take(allocator, sizeof *tls);
    if (tls != NULL)
        tls->spoke_ns[0] = tls->spoke_ns[1] = KA_NONE;
    return tls;
}

static void forget_burst(ka_tls *tls, const ka_allocator *allocator)
{
    ka_memory_give(allocator, tls->waiting);
    tls->waiting = NULL;
}

void ka_tls_free(ka_tls *tls, const ka_allocator *allocator)
{
    if (tls == NULL)
        return;
    forget_burst(tls, allocator);
    ka_memory_give(allocator, tls->alerts);
    ka_memory_give(allocator, tls);
}

void ka_tls_becomes_readable(ka_tls *tls, const ka_allocator *allocator)
{
    forget_burst(tls, allocator);
    tls->readable = true;
}

/* A server that ignores ALPN speaks HTTP/1.1 (RFC 9113 section 3.2), so what matters is who offered h2. */
ka_tls_carries ka_tls_what(const ka_tls *tls, uint16_t server_port)
{
    uint8_t told = tls->chosen != 0 ? tls->chosen : tls->offered;
    if (told == 0) {
        bool https = server_port == PORT_HTTPS || server_port == PORT_HTTPS_ALT;
        return tls->said_hello && https ? KA_TLS_HTTP1 : KA_TLS_UNKNOWN;
    }
    if (told & KA_ALPN_H2)
        return tls->chosen != 0 ? KA_TLS_H2 : KA_TLS_MAYBE_H2;
    return told & KA_ALPN_HTTP1 ? KA_TLS_HTTP1 : KA_TLS_OTHER;
}

bool ka_tls_is_alert(const ka_bytes *r)
{
    return (r->tls_type == ALERT && r->len_bytes > CLEAR_ALERT_BYTES) ||
           (r->tls_type == APPLICATION_DATA && r->len_bytes == TLS13_ALERT_BYTES);
}

ka_status ka_tls_alert_add(ka_tls *tls, const ka_allocator *allocator, const ka_bytes *r, uint64_t end)
{
    if (tls->alerts == NULL && (tls->alerts = ka_memory_take(allocator, 2 * sizeof *tls->alerts)) == NULL)
        return KA_NO_MEMORY;
    tls->alerts[r->direction] = (ka_tls_alert){r->last, end, r->tls_type == ALERT};
    return KA_OK;
}

ka_status ka_tls_client_data(ka_tls *tls, const ka_allocator *allocator, unsigned client, const ka_bytes *r,
                             uint64_t end, uint64_t ack, int64_t *gap_ns)
{
    /* In TLS 1.3 the client's first application data is its Finished, behind the server's encrypted part of
     * the handshake. In 1.2, and with 1.3's early data, the client speaks first. */
    int64_t before_ns = tls->spoke_ns[client];
    bool finished = before_ns == KA_NONE && tls->greeted && tls->spoke_ns[!client] != KA_NONE;
    *gap_ns = KA_NONE;
    tls->spoke_ns[client] = r->last.time_ns;
    if (finished)
        return KA_OK;
    if (tls->waiting != NULL) {
        tls->waiting->end = end;
        tls->waiting->end_at = r->last;
        return KA_OK;
    }
    if ((tls->waiting = ka_memory_take(allocator, sizeof *tls->waiting)) == NULL)
        return KA_NO_MEMORY;
    int64_t quiet_ns = before_ns == KA_NONE ? KA_NONE : r->first.time_ns - before_ns;
    *tls->waiting = (ka_burst){end - r->len_bytes, end, ack, r->first, r->last, quiet_ns};
    tls->burst_count++;
    if (tls->answered.frame != 0 && r->first.time_ns >= tls->answered.time_ns)
        *gap_ns = r->first.time_ns - tls->answered.time_ns;
    return KA_OK;
}

void ka_tls_server_data(ka_tls *tls, const ka_allocator *allocator, const ka_bytes *r, uint64_t end,
                        uint64_t ack)
{
    tls->spoke_ns[r->direction] = r->last.time_ns;
    bool answers = tls->waiting != NULL && ack > tls->waiting->first;
    if (!answers && tls->answered.frame == 0)
        return; /* the handshake, session tickets */
    if (answers)
        forget_burst(tls, allocator);
    tls->answered = r->last;
    tls->answered_end = end;
}
