/* hash.h - the core's hash of addresses, for tables of servers and clients.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Results never depend on it: tables are told in order of appearance.
 */
#ifndef KA_HASH_H
#define KA_HASH_H

#include <string.h>

#include "keptalive.h"

/* The finisher of splitmix64: every bit of the input reaches every bit of the output. */
static inline uint64_t ka_hash_mix(uint64_t h)
{
    h = (h ^ h >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ h >> 27) * UINT64_C(0x94d049bb133111eb);
    return h ^ h >> 31;
}

/* With a secret seed nobody can make a capture whose addresses collide. */
static inline uint32_t ka_hash_address(const uint8_t ip[16], uint64_t rest, uint64_t seed)
{
    uint64_t words[2];
    memcpy(words, ip, sizeof words);
    uint64_t h = ka_hash_mix(words[0] ^ seed);
    h = ka_hash_mix(h + (words[1] ^ seed));
    return (uint32_t)ka_hash_mix(h + (rest ^ seed));
}

/* Eight bytes at a time, for texts of every request. */
static inline uint64_t ka_hash_bytes(ka_slice text, uint64_t seed)
{
    uint64_t h = ka_hash_mix(seed ^ text.len_bytes), word;
    size_t at = 0;
    for (; at + sizeof word <= text.len_bytes; at += sizeof word) {
        memcpy(&word, text.bytes + at, sizeof word);
        h = ka_hash_mix(h ^ word);
    }
    word = 0;
    if (at < text.len_bytes)
        memcpy(&word, text.bytes + at, text.len_bytes - at);
    return ka_hash_mix(h ^ word);
}

/* FNV-1a. Where collisions must not be made on purpose it is hashed again, with a seed. */
static inline uint32_t ka_hash_text(ka_slice text)
{
    uint32_t h = UINT32_C(2166136261);
    for (size_t i = 0; i < text.len_bytes; i++)
        h = (h ^ (uint8_t)text.bytes[i]) * UINT32_C(16777619);
    return h;
}

#endif
