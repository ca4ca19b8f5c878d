/* record_parts.h - objects that several records of the output contract have. Only record*.c see it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef KA_RECORD_PARTS_H
#define KA_RECORD_PARTS_H

#include "json.h"

/* Leaves the object open for more. */
void ka_record_open_address(ka_json *json, const char *key, const ka_address *address);
void ka_record_advertised(ka_json *json, int64_t timeout_s, int64_t max, ka_max_style style);

#endif
