/* test_field.c - Connection and Keep-Alive values, as real servers send them and as nobody should.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "field.h"

#define BARE     KA_SYNTAX_BARE_NUMBER
#define BAD      KA_SYNTAX_BAD_PARAM
#define TIMEOUT  KA_SYNTAX_TIMEOUT_NOT_INTEGER
#define CONFLICT KA_SYNTAX_DUPLICATE_CONFLICT
#define NO       KA_NONE
#define LIMIT    INT64_C(2147483647)

static ka_slice slice_at_page_end(const char *bytes, size_t len_bytes)
{
    return (ka_slice){unit_at_page_end(bytes, len_bytes), len_bytes};
}

static ka_slice text(const char *literal)
{
    return slice_at_page_end(literal, strlen(literal));
}

typedef struct row {
    const char *value;
    int64_t timeout_s;
    int64_t max;
    unsigned faults;
    const char *detail; /* of the lowest fault; NULL: no fault */
} row;

static const row rows[] = {
    /* Real servers. */
    {"timeout=5, max=100", 5, 100, 0, NULL},                     /* Apache */
    {"timeout=15, max=99", 15, 99, 0, NULL},                     /* Apache, count-down */
    {"timeout=20", 20, NO, 0, NULL},                             /* nginx, Tomcat */
    {"timeout=5", 5, NO, 0, NULL},                               /* Node */
    {"timeout=5, max=1000", 5, 1000, 0, NULL},                   /* Node, maxRequestsPerSocket */
    {"timeout=10, max=9999", 10, 9999, 0, NULL},                 /* ClickHouse */
    {"timeout=4.5", 4, NO, TIMEOUT, "timeout=4.5"},              /* old Node */
    {"timeout=-1", NO, NO, TIMEOUT, "timeout=-1"},               /* JDK test */
    {"300", NO, NO, BARE, "300"},                                /* old Firefox */
    {"timeout=5, max=100, timeout=5, max=100", 5, 100, 0, NULL}, /* a proxy repeats */
    {"timeout=5,max=100,max=99", 5, 100, CONFLICT, "max=99"},    /* a proxy adds its own */
    {"timeout=120, max=1000, limit=7", 120, 1000, 0, NULL},      /* extension */
    {"close", NO, NO, BAD, "close"},                             /* confused with Connection */
    {"timeout=5; max=100", NO, NO, BAD, "timeout=5; max=100"},   /* Cookie's separator */
    {"timeout: 5", NO, NO, BAD, "timeout: 5"},                   /* header in a header */
    {"timeout=5000ms", NO, NO, TIMEOUT, "timeout=5000ms"},       /* a unit */
    {"max=5, timeout=120", 120, 5, 0, NULL},                     /* order does not matter, but is told */

    /* Grammar. */
    {"", NO, NO, 0, NULL},
    {",", NO, NO, 0, NULL},
    {" ,\t, ,,", NO, NO, 0, NULL},
    {"timeout=5,,max=3,", 5, 3, 0, NULL},
    {",timeout=5", 5, NO, 0, NULL},
    {"timeout = 60 , max = 5", 60, 5, 0, NULL},
    {"\t timeout\t=\t60\t,\tmax=5 \t", 60, 5, 0, NULL},
    {"timeout=5,\r\n max=3", 5, 3, 0, NULL}, /* folded */
    {"TIMEOUT=60", 60, NO, 0, NULL},
    {"TimeOut=60, MAX=1", 60, 1, 0, NULL},
    {"timeouts=60, time=1, maximum=2", NO, NO, 0, NULL},
    {"x=1, timeout=7", 7, NO, 0, NULL},
    {"x=\"a, timeout=9\", timeout=7", 7, NO, 0, NULL}, /* a quoted comma does not split */
    {"x = \"a\\\", timeout=9\", timeout=7", 7, NO, 0, NULL},
    {"x=\"\", timeout=7", 7, NO, 0, NULL},
    {"x=\"\xc3\xa9\t!\", timeout=7", 7, NO, 0, NULL}, /* 8-bit text is fine in quotes */
    {"!#$%&'*+-.^_`|~=!#$%&'*+-.^_`|~", NO, NO, 0, NULL},

    /* Numbers. */
    {"timeout=0", 0, NO, 0, NULL},
    {"timeout=0, max=0", 0, 0, 0, NULL},
    {"timeout=0000000000000000000000000000005", 5, NO, 0, NULL},
    {"timeout=2147483647", LIMIT, NO, 0, NULL},
    {"timeout=2147483648", LIMIT, NO, TIMEOUT, "timeout=2147483648"},
    {"timeout=4294967301", LIMIT, NO, TIMEOUT, "timeout=4294967301"},
    {"timeout=18446744073709551621", LIMIT, NO, TIMEOUT, "timeout=18446744073709551621"},
    {"timeout=99999999999999999999.5", LIMIT, NO, TIMEOUT, "timeout=99999999999999999999.5"},
    {"timeout=+5", NO, NO, TIMEOUT, "timeout=+5"},
    {"timeout=-0", NO, NO, TIMEOUT, "timeout=-0"},
    {"timeout=0.9", 0, NO, TIMEOUT, "timeout=0.9"},
    {"timeout=4.", NO, NO, TIMEOUT, "timeout=4."},
    {"timeout=.5", NO, NO, TIMEOUT, "timeout=.5"},
    {"timeout=1.2.3", NO, NO, TIMEOUT, "timeout=1.2.3"},
    {"timeout=1e3", NO, NO, TIMEOUT, "timeout=1e3"},
    {"timeout=0x10", NO, NO, TIMEOUT, "timeout=0x10"},
    {"timeout=abc", NO, NO, TIMEOUT, "timeout=abc"},
    {"timeout=4,5", 4, NO, BARE, "5"}, /* a decimal comma */
    {"timeout=\"60\"", 60, NO, TIMEOUT, "timeout=\"60\""},
    {"timeout=\"6\\0\"", 60, NO, TIMEOUT, "timeout=\"6\\0\""},
    {"timeout=\"4.5\"", 4, NO, TIMEOUT, "timeout=\"4.5\""},
    {"timeout=\"\"", NO, NO, TIMEOUT, "timeout=\"\""},
    {"timeout=\" 5\"", NO, NO, TIMEOUT, "timeout=\" 5\""},
    {"max=\"7\"", NO, 7, 0, NULL},
    {"max=99999999999", NO, LIMIT, 0, NULL},
    {"timeout=5, max=-1", 5, NO, BAD, "max=-1"},
    {"timeout=5, max=+1", 5, NO, BAD, "max=+1"},
    {"timeout=5, max=1.5", 5, NO, BAD, "max=1.5"},
    {"timeout=5, max=many", 5, NO, BAD, "max=many"},
    {"timeout=5, max=\"\"", 5, NO, BAD, "max=\"\""},
    {"007", NO, NO, BARE, "007"},
    {"timeout=5, 300", 5, NO, BARE, "300"},

    /* Duplicates: the first valid one wins, only a different one is a conflict. */
    {"timeout=5, timeout=6", 5, NO, CONFLICT, "timeout=6"},
    {"timeout=5, Timeout = 05", 5, NO, 0, NULL},
    {"timeout=-1, timeout=6", 6, NO, TIMEOUT, "timeout=-1"},
    {"timeout=6, timeout=-1", 6, NO, TIMEOUT, "timeout=-1"},
    {"max=x, max=3, max=3", NO, 3, BAD, "max=x"},
    {"timeout=0, timeout=5", 0, NO, CONFLICT, "timeout=5"},
    {"max=1, max=2, max=3", NO, 1, CONFLICT, "max=2"},
    {"timeout=\"5\", timeout=6", 5, NO, TIMEOUT | CONFLICT, "timeout=\"5\""},

    /* Malformed. */
    {"=5", NO, NO, BAD, "=5"},
    {"timeout=", NO, NO, BAD, "timeout="},
    {"timeout= , max=3", NO, 3, BAD, "timeout="},
    {"=", NO, NO, BAD, "="},
    {"timeout==5", NO, NO, BAD, "timeout==5"},
    {"time out=5", NO, NO, BAD, "time out=5"},
    {"timeout=5 6", NO, NO, BAD, "timeout=5 6"},
    {"timeout", NO, NO, BAD, "timeout"},
    {"\"timeout\"=5", NO, NO, BAD, "\"timeout\"=5"},
    {"timeout='5'", NO, NO, TIMEOUT, "timeout='5'"}, /* an apostrophe is a token character */
    {"timeout=\"5", NO, NO, BAD, "timeout=\"5"},
    {"timeout=\"5, max=3", NO, NO, BAD, "timeout=\"5, max=3"},
    {"timeout=\"5\\", NO, NO, BAD, "timeout=\"5\\"},
    {"timeout=\"5\\\"", NO, NO, BAD, "timeout=\"5\\\""},
    {"timeout=\"5\"x", NO, NO, BAD, "timeout=\"5\"x"},
    {"timeout=5\"6, max=3", NO, 3, BAD, "timeout=5\"6"}, /* no quoted-string opens here */
    {"\"timeout=5, max=3\"", NO, NO, BAD, "\"timeout=5, max=3\""},
    {"\"", NO, NO, BAD, "\""},
    {"x=\"\x01\"", NO, NO, BAD, "x=\"\x01\""},
    {"x=\"\\\x7f\"", NO, NO, BAD, "x=\"\\\x7f\""},
    {"timeout=\xb2", NO, NO, BAD, "timeout=\xb2"},
    {"t\xc3\xa9=5", NO, NO, BAD, "t\xc3\xa9=5"},
    {"300 s", NO, NO, BAD, "300 s"},
    {"keep-alive, 115, timeout=x", NO, NO, BARE | BAD | TIMEOUT, "115"},
};

static void check(const row *expected, const ka_keep_alive *got)
{
    bool same = got->timeout_s == expected->timeout_s && got->max == expected->max &&
                (got->faults & ~KA_SYNTAX_TIMEOUT_NOT_FIRST) == expected->faults && got->present;
    if (!same)
        fail_msg("\"%s\": timeout %lld, max %lld, faults %#x", expected->value, (long long)got->timeout_s,
                 (long long)got->max, got->faults);
    if (expected->detail == NULL)
        return;
    unsigned index = 0;
    while (!(expected->faults & 1U << index))
        index++;
    if (got->detail[index].len_bytes != strlen(expected->detail) ||
        memcmp(got->detail[index].bytes, expected->detail, got->detail[index].len_bytes) != 0)
        fail_msg("\"%s\": detail \"%.*s\"", expected->value, got->detail[index].len_bytes,
                 got->detail[index].bytes);
}

static void reads_every_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ka_keep_alive got;
        ka_keep_alive_init(&got);
        ka_field_keep_alive(text(rows[i].value), &got);
        check(&rows[i], &got);
    }
}

static void starts_with_nothing(void **state)
{
    (void)state;
    ka_keep_alive got;
    memset(&got, 0xff, sizeof got);
    ka_keep_alive_init(&got);
    assert_int_equal(got.timeout_s, KA_NONE);
    assert_int_equal(got.max, KA_NONE);
    assert_int_equal(got.faults, 0);
    assert_false(got.present);
    ka_field_keep_alive((ka_slice){NULL, 0}, &got);
    assert_true(got.present);
    assert_int_equal(got.faults, 0);
}

static void joins_lines_of_one_name(void **state)
{
    (void)state;
    ka_keep_alive got;
    ka_keep_alive_init(&got);
    ka_field_keep_alive(text("timeout=5"), &got);
    ka_field_keep_alive(text(""), &got);
    ka_field_keep_alive(text("max=100"), &got);
    check(&(row){"lines", 5, 100, 0, NULL}, &got);
    ka_field_keep_alive(text("timeout=75"), &got);
    ka_field_keep_alive(text("timeout=76"), &got);
    check(&(row){"lines", 5, 100, CONFLICT, "timeout=75"}, &got);
}

static void accepts_nul_bytes(void **state)
{
    (void)state;
    static const char value[] = "timeout\0=5, ti\0, timeout=5\0, \0, max=4, x=\"\0\"";
    ka_keep_alive got;
    ka_keep_alive_init(&got);
    ka_field_keep_alive(slice_at_page_end(value, sizeof value - 1), &got);
    assert_int_equal(got.timeout_s, KA_NONE);
    assert_int_equal(got.max, 4);
    assert_int_equal(got.faults, BAD);
    assert_int_equal(got.detail[1].len_bytes, 10);
    assert_memory_equal(got.detail[1].bytes, "timeout\0=5", 10);
}

static void tells_whether_timeout_is_first(void **state)
{
    (void)state;
    static const struct {
        const char *first_line;
        const char *second_line; /* NULL: there is none */
        bool not_first;
    } orders[] = {
        {"timeout=5", NULL, false},
        {"timeout=5, max=3", NULL, false},
        {"timeout=5, Timeout=5", NULL, false},
        {"timeout=5", "max=3", false},
        {"max=3, timeout=5", NULL, true},
        {"max=3", "timeout=5", true},
        {",timeout=5", NULL, true},
        {"Timeout=5", NULL, true},
        {"timeout =5", NULL, true},
        {"timeout=x, timeout=5", NULL, true},
        {"max=3", NULL, false}, /* there is none to look for */
        {"timeout=x", NULL, false},
        {"", NULL, false},
    };
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        ka_keep_alive got;
        ka_keep_alive_init(&got);
        ka_field_keep_alive(slice_at_page_end(orders[i].first_line, strlen(orders[i].first_line)), &got);
        if (orders[i].second_line != NULL)
            ka_field_keep_alive(slice_at_page_end(orders[i].second_line, strlen(orders[i].second_line)),
                                &got);
        assert_int_equal((got.faults & KA_SYNTAX_TIMEOUT_NOT_FIRST) != 0, orders[i].not_first);
    }
}

static void cuts_long_details(void **state)
{
    (void)state;
    enum { LONG_BYTES = 1 << 20 };
    char *value = malloc(LONG_BYTES);
    assert_non_null(value);
    memset(value, '9', LONG_BYTES);
    ka_slice all_digits = slice_at_page_end(value, LONG_BYTES);
    memcpy(value, "timeout=", 8);
    ka_slice long_timeout = slice_at_page_end(value, LONG_BYTES);
    free(value);

    ka_keep_alive got;
    ka_keep_alive_init(&got);
    ka_field_keep_alive(all_digits, &got);
    ka_field_keep_alive(long_timeout, &got);
    assert_int_equal(got.faults, BARE | TIMEOUT | KA_SYNTAX_TIMEOUT_NOT_FIRST);
    assert_int_equal(got.timeout_s, LIMIT);
    assert_int_equal(got.detail[0].len_bytes, KA_FIELD_DETAIL_BYTES);
    assert_int_equal(got.detail[2].len_bytes, KA_FIELD_DETAIL_BYTES);
    assert_memory_equal(got.detail[2].bytes, "timeout=999", 11);
}

/* Every prefix of a value with everything in it, so that each byte is once the last before the page. */
static void reads_no_byte_too_many(void **state)
{
    (void)state;
    static const char value[] = " timeout = \"6\\\"0\" ,, max=4.5, 300, x=\"\\\\\", close, =, \"";
    for (size_t len_bytes = 0; len_bytes < sizeof value; len_bytes++) {
        ka_slice cut = slice_at_page_end(value, len_bytes);
        ka_keep_alive got;
        ka_options options = {false, false, false};
        ka_keep_alive_init(&got);
        ka_field_keep_alive(cut, &got);
        ka_field_connection(cut, &options);
        assert_true(got.timeout_s == KA_NONE);
        assert_int_equal(options.close, len_bytes >= 48);
    }
}

/* All values of up to four bytes of an alphabet that reaches every branch. */
static void survives_every_short_value(void **state)
{
    (void)state;
    static const char alphabet[] = {'5', '.', '=', '"', '\\', ',', ' ', 'x', '\0', '\x80'};
    enum { LETTERS = sizeof alphabet, LENGTH = 4 };
    char *buffer = unit_at_page_end("timeout=....", 12);
    for (unsigned n = 0; n < LETTERS * LETTERS * LETTERS * LETTERS; n++) {
        unsigned rest = n;
        for (unsigned i = 0; i < LENGTH; i++, rest /= LETTERS)
            buffer[8 + i] = alphabet[rest % LETTERS];
        ka_keep_alive got;
        ka_keep_alive_init(&got);
        ka_field_keep_alive((ka_slice){buffer, 12}, &got);
        assert_true(got.timeout_s == KA_NONE || (got.timeout_s >= 0 && got.timeout_s <= 5555));
        assert_true(got.timeout_s != KA_NONE || got.faults != 0);
        ka_keep_alive_init(&got);
        ka_field_keep_alive((ka_slice){buffer + 8, 4}, &got);
        assert_true(got.timeout_s == KA_NONE && got.max == KA_NONE);
    }
}

typedef struct option_row {
    const char *value;
    ka_options expected; /* close, keep_alive, upgrade */
} option_row;

static const option_row option_rows[] = {
    {"", {false, false, false}},
    {",,, ,", {false, false, false}},
    {"close", {true, false, false}},
    {"Close", {true, false, false}},
    {"keep-alive", {false, true, false}},
    {"Keep-Alive", {false, true, false}},
    {"KEEP-ALIVE,", {false, true, false}},
    {"keep-alive, Upgrade", {false, true, true}},
    {"Upgrade, HTTP2-Settings", {false, false, true}},
    {"TE,\tclose , Keep-Alive", {true, true, false}},
    {"close, close", {true, false, false}},
    {"keepalive", {false, false, false}},
    {"closed", {false, false, false}},
    {"clos", {false, false, false}},
    {"not close", {false, false, false}},
    {"\"close\"", {false, false, false}},
    {"\"x, close", {true, false, false}}, /* a stray quote hides nothing */
    {"close;keep-alive", {false, false, false}},
    {"close=1", {false, false, false}},
};

static void reads_connection_options(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof option_rows / sizeof option_rows[0]; i++) {
        const option_row *tried = &option_rows[i];
        ka_options got = {false, false, false};
        ka_field_connection(text(tried->value), &got);
        if (got.close != tried->expected.close || got.keep_alive != tried->expected.keep_alive ||
            got.upgrade != tried->expected.upgrade)
            fail_msg("\"%s\": close %d, keep-alive %d, upgrade %d", tried->value, got.close, got.keep_alive,
                     got.upgrade);
    }
}

static void joins_connection_lines(void **state)
{
    (void)state;
    ka_options got = {false, false, false};
    ka_field_connection(text("keep-alive"), &got);
    ka_field_connection(text("close"), &got);
    ka_field_connection((ka_slice){NULL, 0}, &got);
    assert_true(got.keep_alive);
    assert_true(got.close);
    assert_false(got.upgrade);
}

static void finds_tokens(void **state)
{
    (void)state;
    assert_true(ka_field_has_token(text("h2c, WebSocket"), "websocket"));
    assert_true(ka_field_has_token(text("100-Continue"), "100-continue"));
    assert_false(ka_field_has_token(text("websockets"), "websocket"));
    assert_false(ka_field_has_token(text(""), "websocket"));
    assert_false(ka_field_has_token((ka_slice){NULL, 0}, "websocket"));
    assert_false(ka_field_has_token(slice_at_page_end("close\0", 6), "close"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_row),
        cmocka_unit_test(starts_with_nothing),
        cmocka_unit_test(joins_lines_of_one_name),
        cmocka_unit_test(accepts_nul_bytes),
        cmocka_unit_test(tells_whether_timeout_is_first),
        cmocka_unit_test(cuts_long_details),
        cmocka_unit_test(reads_no_byte_too_many),
        cmocka_unit_test(survives_every_short_value),
        cmocka_unit_test(reads_connection_options),
        cmocka_unit_test(joins_connection_lines),
        cmocka_unit_test(finds_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
