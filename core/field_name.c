/* field_name.c - which header fields the core wants.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "keptalive.h"

typedef struct wanted {
    const char *name; /* lower case */
    size_t len_bytes;
    ka_field_name field;
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

/* RFC 9110 section 5.1: in any case. Only letters differ from lower case by 0x20 alone. */
static bool equals(const char *name, const char *lower, size_t len_bytes)
{
    for (size_t i = 0; i < len_bytes; i++) {
        bool is_letter = lower[i] >= 'a' && lower[i] <= 'z';
        if ((is_letter ? name[i] | 0x20 : name[i]) != lower[i])
            return false;
    }
    return true;
}

ka_field_name ka_field_by_name(ka_slice name)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].len_bytes == name.len_bytes && equals(name.bytes, table[i].name, name.len_bytes))
            return table[i].field;
    }
    return KA_FIELD_COUNT;
}
