/* tls_hello.c - the protocols a ClientHello or ServerHello names, and the server.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Read as it comes, an item of a few bytes at a time. A hello that goes on in another record is given up.
 */
#include "stream/tls_hello.h"

#include <string.h>

enum { CLIENT_HELLO = 1, SERVER_HELLO = 2 };
enum { SERVER_NAME_LIST = 0, ALPN = 16 }; /* extensions */
enum { HOST_NAME = 0 };                   /* type of a server name; there is no other */
enum {
    HEAD_BYTES = 6, /* type, length of three, version of two */
    VERSION_BYTES = 2,
    RANDOM_BYTES = 32,
    CHOSEN_BYTES = 3, /* a ServerHello's cipher suite and compression */
    /* Length of two of the list of server names; of the first one type, and length of two. */
    SERVER_NAME_HEAD_BYTES = 5,
};

typedef enum stage {
    HEAD,
    SESSION,
    CIPHERS,
    COMPRESSIONS,
    EXTENSIONS,
    EXTENSION,
    NAMES,
    NAME_LENGTH,
    NAME,
    SERVER_NAME_HEAD,
    SERVER_NAME,
    DONE,
    NONSENSE,
} stage;

static void expect(tls_hello *hello, stage next, uint8_t need)
{
    hello->stage = (uint8_t)next;
    hello->need = need;
    hello->have = 0;
}

static uint16_t two(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

/* Encrypted handshake records look like anything: the version must be one. */
static void on_head(tls_hello *hello)
{
    const uint8_t *item = hello->item;
    hello->type = item[0];
    hello->left = (uint32_t)item[1] << 16 | two(item + 2);
    bool plausible = (item[0] == CLIENT_HELLO || item[0] == SERVER_HELLO) && item[4] == 3 && item[5] <= 4 &&
                     hello->left > VERSION_BYTES + RANDOM_BYTES;
    if (!plausible) {
        expect(hello, NONSENSE, 0);
        return;
    }
    hello->left -= VERSION_BYTES;
    hello->skip = RANDOM_BYTES;
    expect(hello, SESSION, 1);
}

static void on_session(tls_hello *hello)
{
    hello->skip = hello->item[0];
    if (hello->type == CLIENT_HELLO) {
        expect(hello, CIPHERS, 2);
        return;
    }
    hello->skip += CHOSEN_BYTES;
    expect(hello, EXTENSIONS, 2);
}

static void on_extension(tls_hello *hello)
{
    if (two(hello->item) == ALPN) {
        expect(hello, NAMES, 2);
        return;
    }
    uint16_t len_bytes = two(hello->item + 2);
    bool names_server = two(hello->item) == SERVER_NAME_LIST && hello->type == CLIENT_HELLO;
    if (names_server && len_bytes > SERVER_NAME_HEAD_BYTES && hello->server_name_bytes == 0) {
        hello->names_left = len_bytes - SERVER_NAME_HEAD_BYTES;
        expect(hello, SERVER_NAME_HEAD, SERVER_NAME_HEAD_BYTES);
        return;
    }
    hello->skip = len_bytes;
    expect(hello, EXTENSION, 4);
}

/* No more than one name of a type (RFC 6066 section 3), so the first one is all. */
static void on_server_name_head(tls_hello *hello)
{
    uint16_t len_bytes = two(hello->item + 3);
    if (hello->item[2] == HOST_NAME && len_bytes > 0 && len_bytes <= hello->names_left) {
        expect(hello, SERVER_NAME,
               (uint8_t)(len_bytes < KA_SERVER_NAME_BYTES_MAX ? len_bytes : KA_SERVER_NAME_BYTES_MAX));
        return;
    }
    hello->skip = hello->names_left;
    expect(hello, EXTENSION, 4);
}

static void on_server_name(tls_hello *hello)
{
    hello->server_name_bytes = hello->need;
    hello->skip = (uint32_t)(hello->names_left - hello->need);
    expect(hello, EXTENSION, 4);
}

static void next_name(tls_hello *hello)
{
    if (hello->names_left > 0)
        expect(hello, NAME_LENGTH, 1);
    else
        expect(hello, EXTENSION, 4);
}

static void on_name_length(tls_hello *hello)
{
    uint8_t len_bytes = hello->item[0];
    uint32_t used_bytes = 1 + (uint32_t)len_bytes;
    hello->names_left = (uint16_t)(used_bytes < hello->names_left ? hello->names_left - used_bytes : 0);
    if (len_bytes > 0 && len_bytes <= TLS_HELLO_ITEM_BYTES) {
        expect(hello, NAME, len_bytes);
        return;
    }
    hello->alpn |= KA_ALPN_OTHER;
    hello->skip = len_bytes;
    next_name(hello);
}

static bool is_name(const tls_hello *hello, const char *name)
{
    return hello->need == strlen(name) && memcmp(hello->item, name, hello->need) == 0;
}

static void on_name(tls_hello *hello)
{
    if (is_name(hello, "h2"))
        hello->alpn |= KA_ALPN_H2;
    else if (is_name(hello, "http/1.1") || is_name(hello, "http/1.0"))
        hello->alpn |= KA_ALPN_HTTP1;
    else
        hello->alpn |= KA_ALPN_OTHER;
    next_name(hello);
}

static void on_item(tls_hello *hello)
{
    switch ((stage)hello->stage) {
    case HEAD:
        on_head(hello);
        break;
    case SESSION:
        on_session(hello);
        break;
    case CIPHERS:
        hello->skip = two(hello->item);
        expect(hello, COMPRESSIONS, 1);
        break;
    case COMPRESSIONS:
        hello->skip = hello->item[0];
        expect(hello, EXTENSIONS, 2);
        break;
    case EXTENSIONS:
        expect(hello, EXTENSION, 4);
        break;
    case EXTENSION:
        on_extension(hello);
        break;
    case NAMES:
        hello->names_left = two(hello->item);
        next_name(hello);
        break;
    case NAME_LENGTH:
        on_name_length(hello);
        break;
    case NAME:
        on_name(hello);
        break;
    case SERVER_NAME_HEAD:
        on_server_name_head(hello);
        break;
    case SERVER_NAME:
        on_server_name(hello);
        break;
    default:
        break;
    }
}

static void keep(tls_hello *hello, uint8_t byte)
{
    if (hello->stage == SERVER_NAME)
        hello->server_name[hello->have++] = (char)byte;
    else
        hello->item[hello->have++] = byte;
}

/* One step: what does not matter, or a byte of an item. Returns the bytes used. */
static size_t step(tls_hello *hello, const uint8_t *bytes, size_t len_bytes)
{
    size_t used_bytes = 1;
    if (hello->skip > 0) {
        used_bytes = hello->skip < len_bytes ? hello->skip : len_bytes;
        if (used_bytes > hello->left)
            used_bytes = hello->left;
        hello->skip -= (uint32_t)used_bytes;
    } else {
        keep(hello, bytes[0]);
    }
    if (hello->stage != HEAD)
        hello->left -= (uint32_t)used_bytes;
    if (hello->have == hello->need)
        on_item(hello);
    return used_bytes;
}

void tls_hello_read(tls_hello *hello, const uint8_t *bytes, size_t len_bytes)
{
    if (hello->stage == HEAD)
        hello->need = HEAD_BYTES;
    while (len_bytes > 0 && hello->stage < DONE) {
        size_t used_bytes = step(hello, bytes, len_bytes);
        bytes += used_bytes;
        len_bytes -= used_bytes;
        if (hello->stage != HEAD && hello->stage < DONE && hello->left == 0)
            expect(hello, hello->stage >= EXTENSIONS ? DONE : NONSENSE, 0);
    }
}

void tls_hello_give_up(tls_hello *hello)
{
    expect(hello, NONSENSE, 0);
}

bool tls_hello_is_whole(const tls_hello *hello)
{
    return hello->stage == DONE;
}

bool tls_hello_is_clients(const tls_hello *hello)
{
    return hello->type == CLIENT_HELLO;
}

ka_slice tls_hello_server_name(const tls_hello *hello)
{
    if (!tls_hello_is_whole(hello))
        return (ka_slice){NULL, 0};
    return (ka_slice){hello->server_name, hello->server_name_bytes};
}
