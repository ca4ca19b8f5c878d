/* text_sites.h - the sites of one server in the text report.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TEXT_SITES_H
#define TEXT_SITES_H

#include "keptalive.h"

#include <stdio.h>

enum { TEXT_SERVER_NAME_BYTES = 64 };

typedef struct text_site {
    ka_site_record record;
    char name[TEXT_SERVER_NAME_BYTES]; /* escaped; record.name is not to be used */
} text_site;

typedef struct text_sites {
    uint32_t count;
    text_site at[KA_SITE_RECORDS_MAX];
} text_sites;

/* Copies what the record points to. */
void text_sites_take(text_sites *sites, const ka_endpoint_record *server);

/* Below the server's row, a line each; nothing where one timer of the server says all. */
void text_sites_lines(FILE *out, const ka_endpoint_record *server, const text_sites *sites);

#endif
