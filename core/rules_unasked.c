/* rules_unasked.c - 408 answers nobody asked for, and who may take them for an answer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "rules.h"

bool ka_rule_unsolicited_408(const ka_view *v, ka_finding *f)
{
    if (v->message->status != 408 || !v->exchanges->unasked)
        return false;
    bool unused = v->exchanges->completed == 0;
    ka_moment since = unused ? v->connection->first : v->exchanges->last.end_at;
    if (unused)
        f->severity = KA_CHAT;
    f->at = v->message->first;
    ka_finding_frame(f, "response_end", unused ? (ka_moment){0, 0} : since);
    ka_finding_frame(f, "response", v->message->first);
    ka_finding_value(f, "idle", v->message->first.time_ns - since.time_ns, KA_NS);
    ka_finding_value(f, "ack", v->message->ack, KA_COUNT);
    return true;
}

/* What the message showed when it came; NULL: nothing. */
static const ka_finding *unsolicited(const ka_view *v)
{
    const ka_noted *noted = ka_noted_find(v->connection->noted, KA_UNSOLICITED_408);
    return noted != NULL ? &noted->finding : NULL;
}

/* No answer came behind the 408, and the server had none of the request when it sent that: so the client
 * reads it as the answer, or closes. */
bool ka_rule_misattributed_408(const ka_view *v, ka_finding *f)
{
    const ka_finding *earlier = unsolicited(v);
    ka_unanswered u = ka_rules_unanswered(v);
    if (earlier == NULL || !v->exchanges->unasked || u.first == 0 || v->close.by == KA_SIDE_NONE)
        return false;
    f->at = earlier->at;
    ka_finding_frame(f, "response", earlier->at);
    ka_finding_frame(f, "request", u.first_at);
    ka_finding_frame(f, ka_how_name(v->close.how), v->close.at);
    ka_finding_value(f, "request_number", (int64_t)u.number, KA_COUNT);
    ka_finding_value(f, "request_seq", (uint32_t)u.first, KA_COUNT);
    for (size_t i = 1; i < earlier->value_count; i++) /* behind "count" */
        ka_finding_value(f, earlier->values[i].name, earlier->values[i].number, earlier->values[i].unit);
    return true;
}
