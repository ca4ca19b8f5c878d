/* unit.h - what every unit test includes before anything else.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* A copy of the bytes that ends just before an unmapped page: reading one byte too many is a crash. Never
 * freed; tests are short-lived. */
static inline void *unit_at_page_end(const void *bytes, size_t len_bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t room = (len_bytes + page - 1) / page * page + page;
    char *base = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(base, MAP_FAILED);
    assert_int_equal(mprotect(base + room, page, PROT_NONE), 0);
    char *at = base + room - len_bytes;
    if (len_bytes > 0)
        memcpy(at, bytes, len_bytes);
    return at;
}

#endif
