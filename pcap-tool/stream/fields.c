/* fields.c - which header fields the core asks for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "stream/fields.h"

typedef struct wanted {
    const char *name; /* lower case */
    unsigned char len_bytes;
    unsigned char field;
} wanted;

#define WANTED(name, field)                                                                                  \
    {                                                                                                        \
        name, sizeof name - 1, field                                                                         \
    }
static const wanted table[] = {
    WANTED("host", KA_FIELD_HOST),
    WANTED("connection", KA_FIELD_CONNECTION),
    WANTED("keep-alive", KA_FIELD_KEEP_ALIVE),
    WANTED("content-type", KA_FIELD_CONTENT_TYPE),
    WANTED("server", KA_FIELD_SERVER),
    WANTED("via", KA_FIELD_VIA),
    WANTED("expect", KA_FIELD_EXPECT),
    WANTED("upgrade", KA_FIELD_UPGRADE),
    WANTED("proxy-connection", KA_FIELD_PROXY_CONNECTION),
    WANTED("authorization", KA_FIELD_AUTHENTICATE),
    WANTED("www-authenticate", KA_FIELD_AUTHENTICATE),
    WANTED("proxy-authorization", KA_FIELD_AUTHENTICATE),
    WANTED("proxy-authenticate", KA_FIELD_AUTHENTICATE),
    WANTED("x-request-id", KA_FIELD_REQUEST_ID),
    WANTED("request-id", KA_FIELD_REQUEST_ID),
    WANTED("traceparent", KA_FIELD_REQUEST_ID),
};
#undef WANTED

/* Names are case-insensitive (RFC 9110 section 5.1). Setting 0x20 maps no other token byte to a letter or
 * '-'. */
static bool equals(const char *name, const char *lower, size_t len_bytes)
{
    for (size_t i = 0; i < len_bytes; i++)
        if ((name[i] | 0x20) != lower[i])
            return false;
    return true;
}

ka_field_name fields_find(const char *name, size_t len_bytes)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].len_bytes == len_bytes && equals(name, table[i].name, len_bytes))
            return (ka_field_name)table[i].field;
    return KA_FIELD_COUNT;
}

ka_slice fields_trim(const char *value, size_t len_bytes)
{
    while (len_bytes > 0 && (value[0] == ' ' || value[0] == '\t')) {
        value++;
        len_bytes--;
    }
    while (len_bytes > 0 && (value[len_bytes - 1] == ' ' || value[len_bytes - 1] == '\t'))
        len_bytes--;
    return (ka_slice){value, len_bytes};
}
