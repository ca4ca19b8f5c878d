/* tls_hello.h - the protocols a ClientHello or ServerHello names, and the server (RFC 8446 section 4.1,
 * RFC 7301, RFC 6066 section 3).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef STREAM_TLS_HELLO_H
#define STREAM_TLS_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keptalive.h"

enum { TLS_HELLO_ITEM_BYTES = 8 }; /* "http/1.1", the longest name that matters */

/* A handshake record under way, all zero at its beginning. */
typedef struct tls_hello {
    uint32_t left;       /* bytes of the message */
    uint32_t skip;       /* of which so many do not matter */
    uint16_t names_left; /* bytes of a list of names */
    uint8_t stage;
    uint8_t have; /* of the item under way */
    uint8_t need;
    uint8_t item[TLS_HELLO_ITEM_BYTES];
    uint8_t type;
    uint8_t alpn; /* KA_ALPN_ bits */
    uint8_t server_name_bytes;
    char server_name[KA_SERVER_NAME_BYTES_MAX];
} tls_hello;

/* The next bytes of the record's body. */
void tls_hello_read(tls_hello *hello, const uint8_t *bytes, size_t len_bytes);
/* Some of its bytes are not there. */
void tls_hello_give_up(tls_hello *hello);
/* The record is over: whether it held a whole hello. */
bool tls_hello_is_whole(const tls_hello *hello);
bool tls_hello_is_clients(const tls_hello *hello);
/* Of a whole ClientHello, as it stands there, cut to KA_SERVER_NAME_BYTES_MAX; empty: none. */
ka_slice tls_hello_server_name(const tls_hello *hello);

#endif
