/* json_check.h - is this line one JSON value? (RFC 8259)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef JSON_CHECK_H
#define JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

bool json_check(const char *text, size_t len_bytes);

#endif
