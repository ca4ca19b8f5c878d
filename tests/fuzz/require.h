/* require.h - what must hold whatever a fuzzer's input is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef REQUIRE_H
#define REQUIRE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Not assert(): it must hold in every build. */
#define REQUIRE(condition)                                                                                   \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                          \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

/* A copy with nothing behind it, so that a sanitizer sees the first byte too many. */
static inline void *require_copy(const void *bytes, size_t len_bytes)
{
    void *copy = malloc(len_bytes > 0 ? len_bytes : 1);
    REQUIRE(copy != NULL);
    if (len_bytes > 0)
        memcpy(copy, bytes, len_bytes);
    return copy;
}

#endif
