/* text_rows.h - the tables of connections and exchanges in the text report, row by row.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TEXT_ROWS_H
#define TEXT_ROWS_H

#include "keptalive.h"

#include <stdio.h>

void text_rows_connection_head(FILE *out, bool colored);
void text_rows_connection(FILE *out, const ka_record *record);

void text_rows_exchange_head(FILE *out, bool colored);
void text_rows_exchange(FILE *out, const ka_exchange_record *exchange);

#endif
