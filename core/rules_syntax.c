/* rules_syntax.c - what is wrong with the header values themselves.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "rules.h"

static void blame_sender(const ka_view *v, ka_finding *f)
{
    f->at = v->message->first;
    f->fault = v->message->is_response ? KA_FAULT_SERVER : KA_FAULT_CLIENT;
    ka_finding_frame(f, v->message->is_response ? "response" : "request", v->message->first);
}

static bool has_fault(const ka_view *v, unsigned bit, unsigned detail, ka_finding *f)
{
    const ka_keep_alive *keep_alive = &v->header->keep_alive;
    if (!(keep_alive->faults & bit))
        return false;
    blame_sender(v, f);
    ka_finding_detail(f, (ka_slice){keep_alive->detail[detail].bytes, keep_alive->detail[detail].len_bytes});
    return true;
}

bool ka_rule_bare_number(const ka_view *v, ka_finding *f)
{
    return has_fault(v, KA_SYNTAX_BARE_NUMBER, 0, f);
}

bool ka_rule_bad_param(const ka_view *v, ka_finding *f)
{
    return has_fault(v, KA_SYNTAX_BAD_PARAM, 1, f);
}

bool ka_rule_timeout_not_integer(const ka_view *v, ka_finding *f)
{
    return v->message->is_response && has_fault(v, KA_SYNTAX_TIMEOUT_NOT_INTEGER, 2, f);
}

bool ka_rule_duplicate_conflict(const ka_view *v, ka_finding *f)
{
    return has_fault(v, KA_SYNTAX_DUPLICATE_CONFLICT, 3, f);
}

static void show_field(const ka_view *v, ka_field_name name, ka_finding *f)
{
    for (size_t i = 0; i < v->message->field_count; i++) {
        if (v->message->fields[i].name == name) {
            ka_finding_detail(f, v->message->fields[i].value);
            return;
        }
    }
}

/* To and from a proxy the option may stand in Proxy-Connection (RFC 9112 appendix C.2.2). */
static bool is_kept_by_proxy_connection(const ka_message *m)
{
    for (size_t i = 0; i < m->field_count; i++) {
        if (m->fields[i].name == KA_FIELD_PROXY_CONNECTION &&
            ka_field_has_token(m->fields[i].value, "keep-alive"))
            return true;
    }
    return false;
}

bool ka_rule_token_missing(const ka_view *v, ka_finding *f)
{
    const ka_options *connection = &v->header->connection;
    if (!v->header->keep_alive.present || connection->keep_alive || connection->close ||
        is_kept_by_proxy_connection(v->message))
        return false;
    blame_sender(v, f);
    show_field(v, KA_FIELD_KEEP_ALIVE, f);
    return true;
}

bool ka_rule_close_contradiction(const ka_view *v, ka_finding *f)
{
    const ka_options *connection = &v->header->connection;
    if (!connection->close || (!connection->keep_alive && !v->header->keep_alive.present))
        return false;
    blame_sender(v, f);
    show_field(v, connection->keep_alive ? KA_FIELD_CONNECTION : KA_FIELD_KEEP_ALIVE, f);
    return true;
}

bool ka_rule_timeout_huge(const ka_view *v, ka_finding *f)
{
    const ka_keep_alive *keep_alive = &v->header->keep_alive;
    int64_t timeout_ns = keep_alive->timeout_s == KA_NONE ? 0 : keep_alive->timeout_s * KA_SECOND_NS;
    int64_t limit_ns = v->limits->timeout_huge_ns;
    if (timeout_ns <= limit_ns) {
        limit_ns = v->limits->middlebox_limit_ns;
        f->severity = KA_CHAT; /* right for many a path, and asked for by some balancers */
    }
    bool overflowed =
        keep_alive->timeout_s == KA_FIELD_NUMBER_MAX && (keep_alive->faults & KA_SYNTAX_TIMEOUT_NOT_INTEGER);
    if (!v->message->is_response || v->header->connection.close || timeout_ns <= limit_ns || overflowed)
        return false;
    blame_sender(v, f);
    ka_finding_value(f, "timeout", timeout_ns, KA_NS);
    ka_finding_value(f, "limit", limit_ns, KA_NS);
    return true;
}

bool ka_rule_timeout_not_first(const ka_view *v, ka_finding *f)
{
    if (!v->message->is_response || !(v->header->keep_alive.faults & KA_SYNTAX_TIMEOUT_NOT_FIRST))
        return false;
    blame_sender(v, f);
    show_field(v, KA_FIELD_KEEP_ALIVE, f);
    return true;
}

static bool has_field(const ka_message *m, ka_field_name name)
{
    for (size_t i = 0; i < m->field_count; i++) {
        if (m->fields[i].name == name)
            return true;
    }
    return false;
}

/* A proxy is asked in absolute form or with CONNECT (RFC 9112 section 3.2); what asks for a path has reached
 * what acts as an origin. With Via, a proxy let it through. */
bool ka_rule_proxy_connection_seen(const ka_view *v, ka_finding *f)
{
    if (v->message->is_response || !v->header->has_proxy_connection)
        return false;
    blame_sender(v, f);
    if (v->message->origin_form)
        f->severity = KA_WARN;
    if (has_field(v->message, KA_FIELD_VIA))
        f->fault = KA_FAULT_PROXY;
    show_field(v, KA_FIELD_PROXY_CONNECTION, f);
    ka_finding_value(f, "origin_form", v->message->origin_form ? 1 : 0, KA_COUNT);
    return true;
}

bool ka_rule_h2_connection_field(const ka_view *v, ka_finding *f)
{
    const ka_h2_field *field = v->h2_field;
    bool from_client = field->direction == v->connection->client;
    ka_field_name name = ka_field_by_name(field->name);
    if (name != KA_FIELD_CONNECTION && name != KA_FIELD_KEEP_ALIVE && name != KA_FIELD_PROXY_CONNECTION)
        return false;
    f->at = field->at;
    f->fault = from_client ? KA_FAULT_CLIENT : KA_FAULT_SERVER;
    ka_finding_frame(f, from_client ? "request" : "response", field->at);
    ka_finding_detail(f, field->name);
    return true;
}
