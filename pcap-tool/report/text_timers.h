/* text_timers.h - what is inferred of one server: in a line, and at length.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TEXT_TIMERS_H
#define TEXT_TIMERS_H

#include "text_sites.h"

#include <stdio.h>

/* Below the server's row, indented; nothing where nothing could be inferred. */
void text_timers_line(FILE *out, const ka_endpoint_record *server, const text_sites *sites);

/* Timers, exposure, what to set; then how its connections were used. */
void text_timers_detail(FILE *out, const ka_endpoint_record *server, const text_sites *sites);

#endif
