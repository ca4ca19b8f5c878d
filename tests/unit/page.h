/* page.h - a writer that keeps what is written, and can fail.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PAGE_H
#define PAGE_H

#include "unit.h"

#include "keptalive.h"

typedef struct page {
    char text[16384];
    size_t len_bytes;
    unsigned writes;
    unsigned writes_allowed;
} page;

static inline bool page_write(void *user, const char *bytes, size_t len_bytes)
{
    page *out = user;
    out->writes++;
    if (out->writes > out->writes_allowed)
        return false;
    assert_true(out->len_bytes + len_bytes < sizeof out->text);
    memcpy(out->text + out->len_bytes, bytes, len_bytes);
    out->len_bytes += len_bytes;
    out->text[out->len_bytes] = '\0';
    return true;
}

/* What was on the page is gone. */
static inline ka_writer page_writer(page *out)
{
    *out = (page){.writes_allowed = 1000};
    return (ka_writer){.user = out, .write = page_write};
}

#endif
