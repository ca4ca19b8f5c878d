/* text_servers.h - the table of servers in the text report.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TEXT_SERVERS_H
#define TEXT_SERVERS_H

#include "text_sites.h"

#include <stdio.h>

/* Servers shown: those with the most connections. A browser's capture has hundreds; NDJSON has them all. */
enum { TEXT_SERVERS_KEPT = 20 };

typedef struct text_server {
    ka_endpoint_record record;
    char name[TEXT_SERVER_NAME_BYTES]; /* escaped; record.name is not to be used */
    uint8_t sites;                     /* where in `sites` its own are */
} text_server;

typedef struct text_servers {
    uint64_t count;
    size_t kept_count;
    text_server kept[TEXT_SERVERS_KEPT]; /* the busiest first */
    text_sites sites[TEXT_SERVERS_KEPT];
} text_servers;

void text_servers_init(text_servers *servers);
void text_servers_add(text_servers *servers, const ka_endpoint_record *endpoint);

/* Nothing when there is no server. */
void text_servers_write(const text_servers *servers, FILE *out, bool colored);

/* Each of them at length, and where to set what is recommended. */
void text_servers_write_details(const text_servers *servers, FILE *out, bool colored);

#endif
