/* test_fields.c - header names the tool tells apart.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "stream/fields.h"

typedef struct row {
    const char *line;
    fields_line what;
    ka_field_name name;
} row;

static const row rows[] = {
    {"Host: a\r\n", FIELDS_LINE_WANTED, KA_FIELD_HOST},
    {"CONNECTION:close\r\n", FIELDS_LINE_WANTED, KA_FIELD_CONNECTION},
    {"keep-alive: timeout=5\r\n", FIELDS_LINE_WANTED, KA_FIELD_KEEP_ALIVE},
    {"Content-Type: text/plain\r\n", FIELDS_LINE_WANTED, KA_FIELD_CONTENT_TYPE},
    {"Server: x\r\n", FIELDS_LINE_WANTED, KA_FIELD_SERVER},
    {"Via: 1.1 x\r\n", FIELDS_LINE_WANTED, KA_FIELD_VIA},
    {"Expect: 100-continue\r\n", FIELDS_LINE_WANTED, KA_FIELD_EXPECT},
    {"Upgrade: websocket\r\n", FIELDS_LINE_WANTED, KA_FIELD_UPGRADE},
    {"Proxy-Connection: close\r\n", FIELDS_LINE_WANTED, KA_FIELD_PROXY_CONNECTION},
    {"Authorization: Basic x\r\n", FIELDS_LINE_WANTED, KA_FIELD_AUTHENTICATE},
    {"WWW-Authenticate: NTLM\r\n", FIELDS_LINE_WANTED, KA_FIELD_AUTHENTICATE},
    {"Proxy-Authorization: NTLM x\r\n", FIELDS_LINE_WANTED, KA_FIELD_AUTHENTICATE},
    {"Proxy-Authenticate: NTLM\r\n", FIELDS_LINE_WANTED, KA_FIELD_AUTHENTICATE},
    {"X-Request-Id: 1\r\n", FIELDS_LINE_WANTED, KA_FIELD_REQUEST_ID},
    {"Request-Id: 1\r\n", FIELDS_LINE_WANTED, KA_FIELD_REQUEST_ID},
    {"traceparent: 00-1\r\n", FIELDS_LINE_WANTED, KA_FIELD_REQUEST_ID},
    {"Content-Length: 5\r\n", FIELDS_LINE_FRAMING, KA_FIELD_COUNT},
    {"Transfer-Encoding: chunked\r\n", FIELDS_LINE_FRAMING, KA_FIELD_COUNT},
    {"Content-Length : 5\r\n", FIELDS_LINE_FRAMING, KA_FIELD_COUNT},
    {"Keep-Alive\t: 5\r\n", FIELDS_LINE_FRAMING, KA_FIELD_COUNT},
    {"Hosts: a\r\n", FIELDS_LINE_NONE, KA_FIELD_COUNT},
    {"Hos: a\r\n", FIELDS_LINE_NONE, KA_FIELD_COUNT},
    {"Date: today\r\n", FIELDS_LINE_NONE, KA_FIELD_COUNT},
    {"Zoo: 1\r\n", FIELDS_LINE_NONE, KA_FIELD_COUNT},
    {"Yes: 1\r\n", FIELDS_LINE_NONE, KA_FIELD_COUNT},
    {"Accept: */*\r\n", FIELDS_LINE_NONE, KA_FIELD_COUNT},
    {"X: 1\r\n", FIELDS_LINE_NONE, KA_FIELD_COUNT},
    {": no name\r\n", FIELDS_LINE_NONE, KA_FIELD_COUNT},
    {"Host\r\n", FIELDS_LINE_NONE, KA_FIELD_COUNT},
    {"\r\n", FIELDS_LINE_NONE, KA_FIELD_COUNT},
    {"[@`{\x80\xff: 1\r\n", FIELDS_LINE_NONE, KA_FIELD_COUNT},
};

static void test_classify(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t len_bytes = strlen(rows[i].line), name_bytes = 0;
        const char *line = unit_at_page_end(rows[i].line, len_bytes);
        ka_field_name name = KA_FIELD_COUNT;
        assert_int_equal(fields_classify(line, len_bytes, &name, &name_bytes), rows[i].what);
        assert_int_equal(name, rows[i].name);
        assert_true(rows[i].what == FIELDS_LINE_NONE || fields_maybe(line));
    }
    assert_false(fields_maybe("User-Agent: x\r\n"));
}

/* A folded head goes through llhttp, which hands out names: the same table answers. */
static void test_find(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *colon = strchr(rows[i].line, ':');
        if (rows[i].what != FIELDS_LINE_WANTED)
            continue;
        const char *line = unit_at_page_end(rows[i].line, (size_t)(colon - rows[i].line) + 1);
        assert_int_equal(fields_find(line, (size_t)(colon - rows[i].line)), rows[i].name);
    }
}

static void test_trim(void **state)
{
    (void)state;
    ka_slice value = fields_trim(" \ta b\t ", 7);
    assert_int_equal(value.len_bytes, 3);
    assert_memory_equal(value.bytes, "a b", 3);
    assert_int_equal(fields_trim("  ", 2).len_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classify),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_trim),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
