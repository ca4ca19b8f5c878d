/* source.h - the bytes of a file, a pipe or standard input, decompressed where they are compressed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CAPTURE_SOURCE_H
#define CAPTURE_SOURCE_H

#include "memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct source source;

enum { SOURCE_FAULT_BYTES = 256 };

/* A stream of the (decompressed) bytes, to be read once from front to end, with this buffer. Takes the
 * descriptor, which is closed when the stream is, or when NULL is returned (with errno). What it allocates is
 * counted in `memory` (NULL: nowhere), which lives as long. *out lives as long
 * as the stream; it is NULL for a regular file that needs no decompression: then the stream is the C
 * library's own, whose reading is twice as fast. */
FILE *source_open(int descriptor, char *buffer, size_t buffer_bytes, memory_share *memory, source **out);

/* Asked when a signal came while reading waits, and now and then, of any source: true ends it, as an error
 * (EINTR). */
void source_on_interrupt(bool (*ask)(void));
bool source_gives_up(void); /* asks */

/* How much of the file was read, as it is there. */
uint64_t source_position(const source *self);

/* Whether reading ended that way. */
bool source_given_up(const source *self);

/* Whether the stream ended, or will end, with an error in the compressed data: then what is wrong and at
 * which byte of the file, as the rest of a sentence about it. */
bool source_fault(const source *self, char text[SOURCE_FAULT_BYTES]);

/* "gzip", ...; NULL: the bytes are as in the file. Known once the stream was read from. */
const char *source_compression(const source *self);

#endif
