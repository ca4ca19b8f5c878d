/* basics.h - what all of the public header is made of: status, slices, memory, addresses, moments.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Part of the public header: front ends include keptalive.h.
 */
#ifndef KA_BASICS_H
#define KA_BASICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KA_SECOND_NS      INT64_C(1000000000)
#define KA_MILLISECOND_NS INT64_C(1000000)
#define KA_NONE           INT64_MIN /* no value, of times and durations */

typedef enum ka_status {
    KA_OK = 0,
    KA_NO_MEMORY = -1,
    KA_MISUSE = -2,
} ka_status;

typedef struct ka_slice {
    const char *bytes;
    size_t len_bytes;
} ka_slice;

/* One function for all memory: new_bytes 0 frees (and returns NULL), old NULL allocates. */
typedef struct ka_allocator {
    void *user;
    void *(*resize)(void *user, void *old, size_t new_bytes);
} ka_allocator;

typedef struct ka_address {
    uint8_t ip[16]; /* IPv4 uses the first four bytes, the rest are zero */
    uint16_t port;
    uint8_t version; /* 4 or 6 */
} ka_address;

/* When and in which frame something was captured. */
typedef struct ka_moment {
    int64_t time_ns;
    uint64_t frame; /* 0: never */
} ka_moment;

#endif
