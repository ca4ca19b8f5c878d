/* test_tls_hello.c - the protocols a ClientHello or ServerHello names, and the server.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "keptalive.h"
#include "stream/tls_hello.h"

enum { HELLO_MAX = 512, CLIENT_HELLO = 1, SERVER_HELLO = 2 };

static uint8_t hello_bytes[HELLO_MAX];
static size_t hello_len;

static void put(const void *bytes, size_t len_bytes)
{
    assert_true(hello_len + len_bytes <= HELLO_MAX);
    memcpy(hello_bytes + hello_len, bytes, len_bytes);
    hello_len += len_bytes;
}

#define PUT(literal) put(literal, sizeof(literal) - 1)

/* `extensions` with their own headers; NULL: no block of them at all. */
static void make_hello(uint8_t type, const char *extensions, size_t len_bytes)
{
    hello_len = 0;
    put(&type, 1);
    PUT("\0\0\0\x03\x03");
    for (int i = 0; i < 32; i++)
        PUT("R");
    PUT("\x02SS"); /* session */
    if (type == CLIENT_HELLO)
        PUT("\0\x04\x13\x01\x13\x02\x01\0");
    else
        PUT("\x13\x01\0");
    if (extensions != NULL) {
        uint8_t length[2] = {(uint8_t)(len_bytes >> 8), (uint8_t)len_bytes};
        put(length, 2);
        put(extensions, len_bytes);
    }
    hello_bytes[2] = (uint8_t)((hello_len - 4) >> 8);
    hello_bytes[3] = (uint8_t)(hello_len - 4);
}

#define MAKE(type, extensions) make_hello(type, extensions, sizeof(extensions) - 1)

/* In pieces of that size. */
static tls_hello read_in(size_t piece_bytes)
{
    tls_hello hello = {0};
    for (size_t at = 0; at < hello_len; at += piece_bytes) {
        size_t len_bytes = hello_len - at < piece_bytes ? hello_len - at : piece_bytes;
        tls_hello_read(&hello, unit_at_page_end((const char *)hello_bytes + at, len_bytes), len_bytes);
    }
    return hello;
}

static void names(bool clients, unsigned alpn)
{
    for (size_t piece_bytes = 1; piece_bytes <= hello_len; piece_bytes++) {
        tls_hello hello = read_in(piece_bytes);
        assert_true(tls_hello_is_whole(&hello));
        assert_int_equal(tls_hello_is_clients(&hello), clients);
        assert_int_equal(hello.alpn, alpn);
    }
}

#define SNI  "\0\0\0\x05hello"
#define BOTH "\0\x10\0\x0e\0\x0c\x02h2\x08http/1.1"

static void hellos(void **state)
{
    (void)state;
    MAKE(CLIENT_HELLO, SNI BOTH);
    names(true, KA_ALPN_H2 | KA_ALPN_HTTP1);
    MAKE(CLIENT_HELLO, BOTH SNI);
    names(true, KA_ALPN_H2 | KA_ALPN_HTTP1);
    MAKE(CLIENT_HELLO, "\0\x10\0\x0b\0\x09\x08http/1.1");
    names(true, KA_ALPN_HTTP1);
    MAKE(CLIENT_HELLO, "\0\x10\0\x0b\0\x09\x08http/1.2");
    names(true, KA_ALPN_OTHER);
    MAKE(CLIENT_HELLO, "\0\x10\0\x10\0\x0e\x0a"
                       "acme-tls/1\x02h2");
    names(true, KA_ALPN_OTHER | KA_ALPN_H2);
    MAKE(CLIENT_HELLO, SNI);
    names(true, 0);
    make_hello(CLIENT_HELLO, NULL, 0);
    names(true, 0);
    MAKE(SERVER_HELLO, "\0\x10\0\x05\0\x03\x02h2" SNI);
    names(false, KA_ALPN_H2);
}

static void names_server(const char *name, size_t len_bytes)
{
    for (size_t piece_bytes = 1; piece_bytes <= hello_len; piece_bytes *= 2) {
        tls_hello hello = read_in(piece_bytes);
        assert_true(tls_hello_is_whole(&hello));
        ka_slice told = tls_hello_server_name(&hello);
        assert_int_equal(told.len_bytes, len_bytes);
        assert_memory_equal(told.bytes, name, len_bytes);
    }
}

#define NAMES_SERVER(literal) names_server(literal, sizeof(literal) - 1)
#define NAMED                 "\0\0\0\x06\0\x04\0\0\x01s"

static void server_names(void **state)
{
    (void)state;
    MAKE(CLIENT_HELLO, NAMED BOTH);
    NAMES_SERVER("s");
    names(true, KA_ALPN_H2 | KA_ALPN_HTTP1);
    MAKE(CLIENT_HELLO, BOTH NAMED);
    NAMES_SERVER("s");
    names(true, KA_ALPN_H2 | KA_ALPN_HTTP1);
    MAKE(CLIENT_HELLO, "\0\0\0\x0d\0\x0b\0\0\x03one\0\0\x02no" BOTH); /* the first one */
    NAMES_SERVER("one");
    names(true, KA_ALPN_H2 | KA_ALPN_HTTP1);
    MAKE(CLIENT_HELLO, NAMED "\0\0\0\x06\0\x04\0\0\x01t");
    NAMES_SERVER("s");
}

static void long_server_names(void **state)
{
    char extension[9 + 255] = "\0\0\x01\x04\x01\x02\0\0\xff", *name = extension + 9;
    (void)state;
    memset(name, 'n', 255);
    make_hello(CLIENT_HELLO, extension, sizeof extension);
    names_server(name, KA_SERVER_NAME_BYTES_MAX);
    for (size_t len_bytes = KA_SERVER_NAME_BYTES_MAX - 1; len_bytes <= KA_SERVER_NAME_BYTES_MAX + 1;
         len_bytes++) {
        extension[2] = extension[4] = 0;
        extension[3] = (char)(len_bytes + 5);
        extension[5] = (char)(len_bytes + 3);
        extension[8] = (char)len_bytes;
        make_hello(CLIENT_HELLO, extension, 9 + len_bytes);
        names_server(name, len_bytes < KA_SERVER_NAME_BYTES_MAX ? len_bytes : KA_SERVER_NAME_BYTES_MAX);
    }
}

static void no_server_names(void **state)
{
    (void)state;
    MAKE(CLIENT_HELLO, BOTH);
    NAMES_SERVER("");
    MAKE(CLIENT_HELLO, SNI BOTH); /* no room for a name */
    NAMES_SERVER("");
    MAKE(CLIENT_HELLO, "\0\0\0\x06\0\x03\0\0\0x" BOTH); /* empty */
    NAMES_SERVER("");
    MAKE(CLIENT_HELLO, "\0\0\0\x06\0\x04\x01\0\x01s" BOTH); /* of another type */
    NAMES_SERVER("");
    names(true, KA_ALPN_H2 | KA_ALPN_HTTP1);
    MAKE(CLIENT_HELLO, "\0\0\0\x06\0\x04\0\0\x02s" BOTH); /* longer than the extension */
    NAMES_SERVER("");
    names(true, KA_ALPN_H2 | KA_ALPN_HTTP1);
    MAKE(CLIENT_HELLO, "\0\0\0\x09\0\x07\0\0\x04s"); /* longer than the hello */
    NAMES_SERVER("");
    MAKE(SERVER_HELLO, NAMED);
    NAMES_SERVER("");
    MAKE(CLIENT_HELLO, NAMED BOTH);
    hello_len--; /* goes on in another record */
    tls_hello hello = read_in(5);
    assert_int_equal(tls_hello_server_name(&hello).len_bytes, 0);
}

/* In TLS 1.2 the certificate may follow in the same record. */
static void what_follows_is_no_part(void **state)
{
    (void)state;
    MAKE(SERVER_HELLO, SNI);
    PUT("\x0b\0\0\x20\0\x10\0\x05\0\x03\x02h2");
    names(false, 0);
}

static void no_hellos(void **state)
{
    (void)state;
    tls_hello hello;
    MAKE(CLIENT_HELLO, BOTH);
    hello_len--; /* goes on in another record */
    hello = read_in(7);
    assert_false(tls_hello_is_whole(&hello));
    MAKE(CLIENT_HELLO, BOTH);
    hello_bytes[0] = 20; /* Finished */
    hello = read_in(7);
    assert_false(tls_hello_is_whole(&hello));
    MAKE(CLIENT_HELLO, BOTH);
    hello_bytes[4] = 9; /* encrypted */
    hello = read_in(7);
    assert_false(tls_hello_is_whole(&hello));
    MAKE(CLIENT_HELLO, BOTH);
    hello_bytes[3] = 36; /* ends in the session */
    hello = read_in(7);
    assert_false(tls_hello_is_whole(&hello));
    hello = (tls_hello){0};
    tls_hello_give_up(&hello);
    MAKE(CLIENT_HELLO, BOTH);
    tls_hello_read(&hello, hello_bytes, hello_len);
    assert_false(tls_hello_is_whole(&hello));
}

/* Any byte may be anything: it ends, within its bytes. */
static void nonsense(void **state)
{
    (void)state;
    for (size_t at = 0; at < 90; at++) {
        for (unsigned value = 0; value < 256; value += 5) {
            MAKE(CLIENT_HELLO, NAMED BOTH SNI);
            if (at >= hello_len)
                return;
            hello_bytes[at] = (uint8_t)value;
            (void)read_in(29);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hellos),
        cmocka_unit_test(server_names),
        cmocka_unit_test(long_server_names),
        cmocka_unit_test(no_server_names),
        cmocka_unit_test(what_follows_is_no_part),
        cmocka_unit_test(no_hellos),
        cmocka_unit_test(nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
