/* retry.c - requests and logins that go on, on another connection.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "retry.h"

#include <string.h>

#include "field.h"
#include "hash.h"
#include "order.h"

bool ka_retry_is_unsafe(const char method[KA_METHOD_BYTES])
{
    return method[0] == 'P' &&
           (strncmp(method, "POST", KA_METHOD_BYTES) == 0 || strncmp(method, "PATCH", KA_METHOD_BYTES) == 0);
}

/* A trace id is that of many requests, and says nothing. */
uint32_t ka_retry_asks(const char method[KA_METHOD_BYTES], const ka_message *m)
{
    if (!ka_retry_is_unsafe(method))
        return 0;
    uint64_t h = ka_hash_bytes(m->target, 0);
    for (size_t i = 0; i < m->field_count; i++) {
        ka_slice value = m->fields[i].value, trace;
        if (m->fields[i].name == KA_FIELD_REQUEST_ID && !ka_field_trace_id(value, &trace))
            h = ka_hash_bytes(value, h);
    }
    return (uint32_t)h;
}

ka_shape ka_retry_shape(const ka_request *request)
{
    ka_shape shape = {.len_bytes = request->end - request->first, .asks = request->asks};
    memcpy(shape.method, request->method, sizeof shape.method);
    return shape;
}

bool ka_shapes_alike(const ka_shape *a, const ka_shape *b)
{
    return a->len_bytes == b->len_bytes && strncmp(a->method, b->method, KA_METHOD_BYTES) == 0;
}

static bool is_same(const ka_shape *a, const ka_shape *b)
{
    return a->asks == b->asks && ka_shapes_alike(a, b);
}

void ka_retries_saw(ka_retries *r, const ka_request *request, uint32_t stream)
{
    r->seen[r->next_seen++ % KA_SIGHTINGS_MAX] =
        (ka_sighting){ka_retry_shape(request), request->first_at.time_ns, stream};
}

void ka_retries_lost(ka_retries *r, const ka_loss *loss)
{
    r->losses[r->next_loss++ % KA_LOSSES_MAX] = *loss;
}

void ka_retries_found(ka_retries *r, uint32_t stream, ka_moment request)
{
    for (unsigned i = 0; i < KA_LOSSES_MAX; i++) {
        ka_loss *loss = &r->losses[i];
        if (loss->stream == stream && loss->request.frame == request.frame)
            loss->request.frame = 0;
    }
}

/* How far back, in times of the wait for a retry, there must be nothing like it. */
enum { LOOK_BACK = 4 };

/* Others like it, beside the lost one, just before: then the next one like it is no retry, but the rule. Of a
 * busy client too few requests are kept to say. */
static bool is_common(const ka_retries *r, const ka_loss *loss, int64_t now_ns, int64_t window_ns)
{
    for (unsigned i = 0; i < KA_SIGHTINGS_MAX; i++) {
        const ka_sighting *seen = &r->seen[i];
        bool is_lost = seen->stream == loss->stream && seen->time_ns == loss->request.time_ns;
        if (!is_lost && is_same(&seen->shape, &loss->shape) && now_ns - seen->time_ns <= 2 * window_ns)
            return true;
    }
    const ka_sighting *oldest = &r->seen[r->next_seen % KA_SIGHTINGS_MAX];
    return r->next_seen >= KA_SIGHTINGS_MAX &&
           now_ns - oldest->time_ns < LOOK_BACK * (now_ns - loss->request.time_ns);
}

bool ka_retries_repeats(ka_retries *r, const ka_request *request, uint32_t stream, int64_t window_ns,
                        ka_loss *out)
{
    ka_shape shape = ka_retry_shape(request);
    int64_t now_ns = request->first_at.time_ns;
    for (unsigned i = 0; i < KA_LOSSES_MAX; i++) {
        ka_loss *loss = &r->losses[i];
        if (loss->request.frame == 0 || loss->stream == stream || !is_same(&loss->shape, &shape))
            continue;
        int64_t since_ns = now_ns - ka_larger(loss->request.time_ns, loss->close.time_ns);
        if (since_ns < 0 || since_ns >= window_ns || is_common(r, loss, now_ns, window_ns))
            continue;
        *out = *loss;
        loss->request.frame = 0;
        return true;
    }
    return false;
}

void ka_retries_challenged(ka_retries *r, uint32_t stream, ka_moment at)
{
    for (unsigned i = 0; i < KA_CHALLENGES_MAX; i++) {
        if (r->challenges[i].at.frame != 0 && r->challenges[i].stream == stream) {
            r->challenges[i].at = at; /* asked again */
            return;
        }
    }
    r->challenges[r->next_challenge++ % KA_CHALLENGES_MAX] = (ka_challenge){stream, at};
}

bool ka_retries_answers(ka_retries *r, uint32_t stream, ka_moment at, int64_t window_ns, ka_challenge *out)
{
    ka_challenge *newest = NULL;
    for (unsigned i = 0; i < KA_CHALLENGES_MAX; i++) {
        ka_challenge *c = &r->challenges[i];
        if (c->at.frame == 0)
            continue;
        if (c->stream == stream) {
            c->at.frame = 0;
            return false;
        }
        if (at.time_ns - c->at.time_ns <= window_ns && (newest == NULL || c->at.frame > newest->at.frame))
            newest = c;
    }
    if (newest == NULL)
        return false;
    *out = *newest;
    newest->at.frame = 0;
    return true;
}
