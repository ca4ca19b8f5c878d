/* pair_rules_fields.c - header fields of one connection that a proxy handed on to another (RFC 9110
 * section 7.6.1).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "pair_rules.h"

static ka_slice text(const char *name)
{
    size_t len_bytes = 0;
    while (name[len_bytes] != '\0')
        len_bytes++;
    return (ka_slice){name, len_bytes};
}

bool ka_pair_rule_hop_by_hop(const ka_pair_view *v, ka_finding *f)
{
    const ka_forwarded *asked = &v->pair->asked_fields, *answered = &v->pair->answered_fields;
    bool response = answered->count > 0 && v->route != NULL && ka_route_forwards(v->route);
    if (!response && asked->count == 0)
        return false;
    const ka_forwarded *shown = response ? answered : asked;
    f->at = shown->went;
    f->values[0].number = shown->count;
    ka_finding_frame(f, response ? "upstream_response" : "downstream_request", shown->came);
    ka_finding_frame(f, response ? "downstream_response" : "upstream_request", shown->went);
    ka_finding_value(f, "in_responses", response ? answered->count : 0, KA_COUNT);
    ka_finding_value(f, "in_requests", asked->count, KA_COUNT);
    ka_finding_value(f, "upstream_stream", v->pair->upstream.stream, KA_COUNT);
    ka_finding_detail(f, text(response || !asked->proxy_connection ? "Keep-Alive" : "Proxy-Connection"));
    return true;
}
