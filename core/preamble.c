/* preamble.c - the PROXY protocol (HAProxy's, versions 1 and 2): whom a connection is really from.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt; "section" below means one of it.
 */
#include <arpa/inet.h>
#include <string.h>

#include "memory.h"
#include "transport.h"

/* Whether the bytes begin with the prefix, as far as they go. */
static bool may_begin_with(ka_slice bytes, const char *prefix, size_t prefix_bytes)
{
    size_t shorter = bytes.len_bytes < prefix_bytes ? bytes.len_bytes : prefix_bytes;
    return shorter > 0 && memcmp(bytes.bytes, prefix, shorter) == 0;
}

/* ---- Version 1 (section 2.1): a line ---- */

/* The next word of a line; false when there is none, or none so short. */
static bool next_word(ka_slice *line, char *out, size_t size)
{
    const char *space = line->len_bytes > 0 ? memchr(line->bytes, ' ', line->len_bytes) : NULL;
    size_t n = space != NULL ? (size_t)(space - line->bytes) : line->len_bytes;
    if (n == 0 || n >= size)
        return false;
    memcpy(out, line->bytes, n);
    out[n] = '\0';
    size_t gone = space != NULL ? n + 1 : n;
    line->bytes += gone;
    line->len_bytes -= gone;
    return true;
}

static bool read_port(const char *text, uint16_t *out)
{
    uint32_t port = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at < '0' || *at > '9' || (port = port * 10 + (uint32_t)(*at - '0')) > UINT16_MAX)
            return false;
    }
    *out = (uint16_t)port;
    return true;
}

/* Behind "TCP4 " or "TCP6 ": both addresses, then both ports, the client's first. */
static bool read_client(ka_slice line, uint8_t version, ka_address *out)
{
    char ip[KA_IP_TEXT_BYTES], own_ip[KA_IP_TEXT_BYTES], port[6];
    ka_address client = {.version = version};
    if (!next_word(&line, ip, sizeof ip) || !next_word(&line, own_ip, sizeof own_ip) ||
        !next_word(&line, port, sizeof port))
        return false;
    if (inet_pton(version == 4 ? AF_INET : AF_INET6, ip, client.ip) != 1 || !read_port(port, &client.port))
        return false;
    *out = client;
    return true;
}

static ka_preamble_status read_line(ka_slice bytes, ka_preamble *out)
{
    static const char *const kinds[] = {"PROXY TCP4 ", "PROXY TCP6 ", "PROXY UNKNOWN"};
    enum { IPV4, IPV6, UNKNOWN, KINDS };
    unsigned kind = 0;
    while (kind < KINDS && !may_begin_with(bytes, kinds[kind], strlen(kinds[kind])))
        kind++;
    if (kind == KINDS)
        return KA_PREAMBLE_NONE;
    size_t some = bytes.len_bytes < KA_PREAMBLE_BYTES_MAX ? bytes.len_bytes : KA_PREAMBLE_BYTES_MAX;
    const char *lf = memchr(bytes.bytes, '\n', some);
    if (lf == NULL)
        return some < KA_PREAMBLE_BYTES_MAX ? KA_PREAMBLE_MORE : KA_PREAMBLE_NONE;
    if (lf[-1] != '\r')
        return KA_PREAMBLE_NONE;
    ka_preamble found = {.len_bytes = (uint32_t)(lf + 1 - bytes.bytes)};
    size_t gone = strlen(kinds[kind]);
    if (kind != UNKNOWN)
        read_client((ka_slice){bytes.bytes + gone, (size_t)(lf - 1 - bytes.bytes) - gone},
                    kind == IPV4 ? 4 : 6, &found.client);
    *out = found;
    return KA_PREAMBLE_WHOLE;
}

/* ---- Version 2 (section 2.2): a signature, four bytes, addresses, and what may be passed over ---- */

static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";

enum {
    SIGNATURE_BYTES = sizeof signature - 1,
    HEADER_BYTES = SIGNATURE_BYTES + 4,
    VERSION_2 = 2,
    LOCAL = 0, /* the proxy's own connection, as a health check: nobody is behind it */
    PROXY = 1,
    OVER_IPV4 = 1, /* address families; the others, as Unix sockets, have no address for us */
    OVER_IPV6 = 2,
    ADDRESSES_IPV4_BYTES = 12, /* both addresses, then both ports */
    ADDRESSES_IPV6_BYTES = 36,
};

static ka_preamble_status read_binary(ka_slice bytes, ka_preamble *out)
{
    const uint8_t *b = (const uint8_t *)bytes.bytes;
    if (!may_begin_with(bytes, signature, SIGNATURE_BYTES))
        return KA_PREAMBLE_NONE;
    if (bytes.len_bytes < HEADER_BYTES)
        return KA_PREAMBLE_MORE;
    unsigned version = b[12] >> 4, command = b[12] & 0x0f, family = b[13] >> 4;
    uint32_t rest_bytes = (uint32_t)b[14] << 8 | b[15];
    if (version != VERSION_2 || command > PROXY)
        return KA_PREAMBLE_NONE;
    ka_preamble found = {.len_bytes = HEADER_BYTES + rest_bytes};
    size_t ip_bytes = family == OVER_IPV4 ? 4 : family == OVER_IPV6 ? 16 : 0;
    size_t addresses_bytes = family == OVER_IPV4 ? ADDRESSES_IPV4_BYTES : ADDRESSES_IPV6_BYTES;
    if (command == PROXY && ip_bytes > 0 && rest_bytes >= addresses_bytes) {
        if (bytes.len_bytes < HEADER_BYTES + addresses_bytes)
            return KA_PREAMBLE_MORE;
        const uint8_t *port = b + HEADER_BYTES + 2 * ip_bytes;
        memcpy(found.client.ip, b + HEADER_BYTES, ip_bytes);
        found.client.port = (uint16_t)(port[0] << 8 | port[1]);
        found.client.version = family == OVER_IPV4 ? 4 : 6;
    }
    *out = found;
    return KA_PREAMBLE_WHOLE;
}

ka_preamble_status ka_preamble_read(ka_slice bytes, ka_preamble *out)
{
    ka_preamble_status status = read_line(bytes, out);
    return status != KA_PREAMBLE_NONE ? status : read_binary(bytes, out);
}

/* ---- What is kept of it ---- */

ka_status ka_transport_preamble(ka_transport *t, const ka_allocator *allocator, unsigned direction,
                                uint64_t end, const ka_address *client)
{
    ka_half *half = &t->half[direction];
    if (half->rare == NULL && (half->rare = ka_memory_take(allocator, sizeof *half->rare)) == NULL)
        return KA_NO_MEMORY;
    ka_rare *rare = half->rare;
    if (rare->preamble_end == 0)
        rare->proxied_for = *client;
    rare->preamble_end = end;
    return KA_OK;
}

bool ka_transport_spoke(const ka_half *half)
{
    if (half->last_data_ns == KA_NONE)
        return false;
    bool is_fin = half->ending != NULL && half->ending->fin.frame != 0;
    uint64_t end = half->next - (is_fin ? 1 : 0);
    return half->rare == NULL || half->rare->preamble_end == 0 || half->rare->preamble_end != end;
}
