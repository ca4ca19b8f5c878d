/* text.c - the report for people: its parts in their order.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "text.h"

#include "spool.h"
#include "text_findings.h"
#include "text_follow.h"
#include "text_overview.h"
#include "text_rows.h"
#include "text_servers.h"

#include <errno.h>

struct text_report {
    ka_allocator allocator;
    report_options options;
    text_findings findings;
    text_servers servers;
    spool connections;
    spool exchanges;
    bool follows;
    bool has_followed;
    int error;
};

text_report *text_new(const report_options *options, const ka_allocator *allocator)
{
    text_report *text = allocator->resize(allocator->user, NULL, sizeof *text);
    if (!text)
        return NULL;
    text->allocator = *allocator;
    text->options = *options;
    text->follows = text->has_followed = false;
    text->error = 0;
    text_findings_init(&text->findings);
    text_servers_init(&text->servers);
    spool_init(&text->connections, options->connections);
    spool_init(&text->exchanges, options->exchanges);
    return text;
}

void text_free(text_report *text)
{
    if (!text)
        return;
    spool_fini(&text->connections);
    spool_fini(&text->exchanges);
    ka_allocator allocator = text->allocator;
    allocator.resize(allocator.user, text, 0);
}

void text_follow(text_report *text, bool wanted)
{
    text->follows = wanted;
}

void text_connection(text_report *text, const ka_record *record)
{
    if (text->connections.file)
        text_rows_connection(text->connections.file, record);
}

void text_finding(text_report *text, const ka_finding *finding)
{
    text_findings_add(&text->findings, finding);
    if (text->follows) {
        text->has_followed = true;
        text_follow_write(&text->options, finding);
        if (text->error == 0 && ferror(text->options.out))
            text->error = errno != 0 ? errno : EIO;
    }
}

void text_exchange(text_report *text, const ka_exchange_record *exchange)
{
    if (text->exchanges.file)
        text_rows_exchange(text->exchanges.file, exchange);
}

void text_endpoint(text_report *text, const ka_endpoint_record *endpoint)
{
    text_servers_add(&text->servers, endpoint);
}

static void write_table(text_report *text, spool *rows, void (*head)(FILE *out, bool colored))
{
    if (rows->wanted) {
        head(text->options.out, text->options.color);
        int error = spool_copy(rows, text->options.out);
        if (text->error == 0)
            text->error = error;
    }
}

void text_finish(text_report *text, const report_end *end, const tally *counts)
{
    FILE *out = text->options.out;
    if (text->has_followed)
        fputc('\n', out);
    text_overview_write(&text->options, end, counts);
    if (text->options.body) {
        text->options.body(text->options.body_user, out);
    } else {
        text_findings_write(&text->findings, &text->options);
        text_servers_write(&text->servers, out, text->options.color);
        if (text->options.servers)
            text_servers_write_details(&text->servers, out, text->options.color);
        write_table(text, &text->connections, text_rows_connection_head);
        write_table(text, &text->exchanges, text_rows_exchange_head);
    }
    if (text->error == 0 && ferror(out))
        text->error = errno != 0 ? errno : EIO;
}

int text_error(const text_report *text)
{
    return text->error;
}
