/* rules_other.c - requests that go on with what began on another connection of the same client to the same
 * server.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "retry.h"
#include "rules.h"

#include <string.h>

static size_t method_bytes(const char method[KA_METHOD_BYTES])
{
    const char *end = memchr(method, '\0', KA_METHOD_BYTES);
    return end != NULL ? (size_t)(end - method) : KA_METHOD_BYTES;
}

bool ka_rule_unsafe_replay(const ka_view *v, ka_finding *f)
{
    const ka_loss *loss = v->loss;
    if (loss == NULL)
        return false;
    bool knew = loss->close.time_ns < loss->request.time_ns;
    f->at = v->request->first_at;
    ka_finding_frame(f, "lost_request", loss->request);
    ka_finding_frame(f, "close", loss->close);
    ka_finding_frame(f, "request", v->request->first_at);
    ka_finding_value(f, "request_number", (int64_t)v->request->number, KA_COUNT);
    ka_finding_value(f, "lost_stream", loss->stream, KA_COUNT);
    ka_finding_value(f, "after", f->at.time_ns - (knew ? loss->request : loss->close).time_ns, KA_NS);
    ka_finding_value(f, "size", (int64_t)loss->shape.len_bytes, KA_BYTES);
    ka_finding_value(f, "received", loss->received, KA_COUNT);
    ka_finding_detail(f, (ka_slice){loss->shape.method, method_bytes(loss->shape.method)});
    return true;
}

bool ka_rule_auth_bound_broken(const ka_view *v, ka_finding *f)
{
    if (v->challenge == NULL)
        return false;
    f->at = v->request->first_at;
    ka_finding_frame(f, "challenge", v->challenge->at);
    ka_finding_frame(f, "request", v->request->first_at);
    ka_finding_value(f, "request_number", (int64_t)v->request->number, KA_COUNT);
    ka_finding_value(f, "challenge_stream", v->challenge->stream, KA_COUNT);
    ka_finding_value(f, "after", f->at.time_ns - v->challenge->at.time_ns, KA_NS);
    return true;
}
