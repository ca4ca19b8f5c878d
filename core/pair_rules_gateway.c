/* pair_rules_gateway.c - what the client sees of a request that was lost behind the proxy: an error, a close,
 * or nothing for a long time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "pair_rules.h"
#include "order.h"

static bool is_race(const ka_leg *up)
{
    ka_finding_id lost = up->unhappy.lost;
    return up->status == 0 && up->closed.frame != 0 &&
           (lost == KA_KEEPALIVE_RACE || lost == KA_REUSE_AFTER_FIN || lost == KA_REQUEST_AFTER_CLOSE);
}

static bool is_gateway_error(uint16_t status)
{
    return status == 502 || status == 503 || status == 504;
}

/* From when the proxy could know that the request was lost: behind the close, and behind the request where
 * that came later; then it is a reset, one round trip away, that tells. */
static int64_t since_loss_ns(const ka_pair_view *v, int64_t at_ns)
{
    return at_ns - ka_larger(v->up->closed.time_ns, v->up->request_end.time_ns);
}

/* A proxy that has to give up does so at once; later it was busy with something else: another attempt, a
 * connection that was refused, a slow server. */
static bool is_prompt(const ka_pair_view *v, int64_t at_ns)
{
    int64_t since_ns = since_loss_ns(v, at_ns);
    return since_ns >= -KA_MILLISECOND_NS &&
           since_ns <= v->limits->gateway_answer_ns + v->down->rtt_ns + v->up->rtt_ns;
}

static void show_upstream(const ka_pair_view *v, ka_finding *f)
{
    bool by_rst = v->up->closed_how == KA_HOW_RST;
    ka_finding_frame(f, "upstream_response_end", v->up->unhappy.since);
    ka_finding_frame(f, "downstream_request", v->down->request);
    ka_finding_frame(f, "upstream_request", v->up->request);
    ka_finding_frame(f, by_rst ? "upstream_rst" : "upstream_fin", v->up->closed);
}

static void show_numbers(const ka_pair_view *v, ka_finding *f)
{
    ka_finding_value(f, "request_number", v->down->number, KA_COUNT);
    ka_finding_value(f, "upstream_request_number", v->up->number, KA_COUNT);
    ka_finding_value(f, "upstream_stream", v->up->stream, KA_COUNT);
    ka_finding_value(f, "attempts", v->down->attempts, KA_COUNT);
    if (v->up->unhappy.since.frame != 0)
        ka_finding_value(f, "upstream_idle", v->up->request.time_ns - v->up->unhappy.since.time_ns, KA_NS);
    ka_finding_cause(f, v->up->unhappy.lost);
}

bool ka_pair_rule_gateway_error(const ka_pair_view *v, ka_finding *f)
{
    if (!is_race(v->up) || !is_gateway_error(v->down->status) || !is_prompt(v, v->down->response.time_ns))
        return false;
    f->at = v->down->response;
    show_upstream(v, f);
    ka_finding_frame(f, "downstream_response", v->down->response);
    ka_finding_value(f, "status", v->down->status, KA_COUNT);
    ka_finding_value(f, "after", ka_larger(0, since_loss_ns(v, f->at.time_ns)), KA_NS);
    show_numbers(v, f);
    return true;
}

bool ka_pair_rule_gateway_silent_close(const ka_pair_view *v, ka_finding *f)
{
    if (!is_race(v->up) || v->down->status != 0 || v->down->closed_by != KA_SIDE_SERVER ||
        !is_prompt(v, v->down->closed.time_ns))
        return false;
    f->at = v->down->closed;
    show_upstream(v, f);
    ka_finding_frame(f, v->down->closed_how == KA_HOW_RST ? "downstream_rst" : "downstream_fin", f->at);
    ka_finding_value(f, "after", ka_larger(0, since_loss_ns(v, f->at.time_ns)), KA_NS);
    show_numbers(v, f);
    return true;
}

/* The proxy gave up, or its client did. */
bool ka_pair_rule_gateway_hang(const ka_pair_view *v, ka_finding *f)
{
    const ka_leg *down = v->down;
    bool gave_up = is_gateway_error(down->status);
    bool left = down->status == 0 && down->closed_by == KA_SIDE_CLIENT;
    if (v->up->status != 0 || v->up->unhappy.lost != KA_SILENT_DROP || (!gave_up && !left))
        return false;
    f->at = gave_up ? down->response : down->closed;
    ka_finding_frame(f, "upstream_response_end", v->up->unhappy.since);
    ka_finding_frame(f, "downstream_request", down->request);
    ka_finding_frame(f, "upstream_request", v->up->request);
    if (gave_up)
        ka_finding_frame(f, "downstream_response", down->response);
    else
        ka_finding_frame(f, down->closed_how == KA_HOW_RST ? "client_rst" : "client_fin", f->at);
    ka_finding_value(f, "waited", f->at.time_ns - down->request_end.time_ns, KA_NS);
    if (gave_up)
        ka_finding_value(f, "status", down->status, KA_COUNT);
    show_numbers(v, f);
    return true;
}
