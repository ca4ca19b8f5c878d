/* replay.c - one connection as it would have gone under another setting.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "replay.h"

/* Later than any: added to a time it does not overflow. */
#define FOREVER_NS (INT64_MAX / 4)

typedef struct player {
    const what_if_connection *connection;
    const what_if_setting *setting;
    const what_if_ground *ground;
    what_if_tally *tally;
    uint32_t first;    /* number of the first request on the connection under way */
    int64_t closed_ns; /* idle time during which it would have been closed */
} player;

typedef enum fate {
    FATE_SERVED,
    FATE_LOST,     /* the request crossed the close */
    FATE_REOPENED, /* it was sent on another connection */
} fate;

static int64_t or_forever(int64_t timeout_ns)
{
    return timeout_ns == KA_NONE ? FOREVER_NS : timeout_ns;
}

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Whichever of both sides closes first. */
static int64_t timeout_of(const what_if_setting *setting)
{
    return lesser(or_forever(setting->value[WHAT_IF_CLIENT_IDLE]),
                  or_forever(setting->value[WHAT_IF_SERVER_IDLE]));
}

/* Over all its requests the limit ends the connection `times` more; the numbers count on from there. */
static void limit_reached(player *p, uint32_t requests, uint64_t times)
{
    p->tally->connections += times;
    p->first += requests * (uint32_t)times;
}

/* Requests that follow each other without a gap, up to the one before `number`. Whether the one with that
 * number needs a new connection because of the limit. */
static bool is_limit_before(player *p, uint32_t number)
{
    int64_t most = p->setting->value[WHAT_IF_MAX_REQUESTS];
    if (most == KA_NONE || number < p->first + most)
        return false;
    limit_reached(p, (uint32_t)most, (number - 1 - p->first) / (uint32_t)most);
    return number == p->first + most;
}

/* What becomes of a request behind a gap; *closed_ns is the idle time after which the connection was closed.
 * Both sides' clocks as in docs/architecture.md: the server's starts when it has sent the response, so it
 * sees a gap longer by its round trip; the client's when it has received it. */
static fate fate_of(const player *p, int64_t gap_ns, what_if_loss loss, int64_t *closed_ns)
{
    int64_t client_ns = or_forever(p->setting->value[WHAT_IF_CLIENT_IDLE]);
    int64_t server_ns = or_forever(p->setting->value[WHAT_IF_SERVER_IDLE]);
    int64_t seen_by_client_ns = gap_ns - p->connection->rtt_client_ns;
    int64_t seen_by_server_ns = gap_ns + p->connection->rtt_server_ns;
    *closed_ns = lesser(client_ns, server_ns);
    if (seen_by_client_ns > client_ns)
        return FATE_REOPENED;
    if (loss == WHAT_IF_LOSS_MIDDLE)
        return FATE_LOST; /* whatever the server does, it does not hear of it */
    if (server_ns == FOREVER_NS)
        return loss == WHAT_IF_LOSS_NONE ? FATE_SERVED : FATE_LOST;
    if (seen_by_server_ns <= server_ns)
        return FATE_SERVED;
    if (seen_by_client_ns < server_ns || loss == WHAT_IF_LOSS_STALE)
        return FATE_LOST;
    return FATE_REOPENED;
}

static void count_reuse(player *p, int64_t gap_ns)
{
    int64_t deadline_ns = p->setting->value[WHAT_IF_SERVER_IDLE];
    if (deadline_ns == KA_NONE)
        deadline_ns = p->ground->deadline_ns;
    p->tally->reused++;
    if (deadline_ns != KA_NONE &&
        gap_ns + p->connection->rtt_server_ns > deadline_ns - lesser(p->ground->margin_ns, deadline_ns / 2))
        p->tally->at_risk++;
}

/* A connection idle since then, had its captured end not come. Times as captured: a request that the server
 * sees before its deadline passes here a round trip to it sooner, one that the client sends before it sees
 * the close a round trip to the client later. */
static bool make_spare(const player *p, int64_t since_ns, int64_t from_ns, int64_t client_ns,
                       int64_t server_ns, what_if_spare *spare)
{
    const what_if_ground *ground = p->ground;
    const what_if_connection *c = p->connection;
    bool known = server_ns != FOREVER_NS || ground->deadline_ns != KA_NONE;
    int64_t deadline_ns = server_ns != FOREVER_NS ? server_ns : ground->deadline_ns;
    int64_t end_ns = lesser(since_ns + client_ns + c->rtt_client_ns, ground->end_ns);
    spare->use = (what_if_span){from_ns, end_ns};
    spare->race = (what_if_span){since_ns + (ground->safe_ns != KA_NONE ? ground->safe_ns : 0), end_ns};
    if (known) {
        spare->race.from_ns = since_ns + deadline_ns - c->rtt_server_ns;
        spare->race.until_ns = lesser(end_ns, since_ns + deadline_ns + c->rtt_client_ns);
        spare->use.until_ns = lesser(end_ns, spare->race.from_ns);
    }
    if (spare->race.from_ns < from_ns)
        spare->race.from_ns = from_ns;
    return spare->use.until_ns > from_ns || spare->race.until_ns > from_ns;
}

/* The request that was lost is not: its connection goes on, or another one in its place. */
static bool survive(player *p, int64_t gap_ns, fate now, what_if_spare *spare)
{
    const what_if_connection *c = p->connection;
    int64_t client_ns = or_forever(p->setting->value[WHAT_IF_CLIENT_IDLE]);
    int64_t server_ns = or_forever(p->setting->value[WHAT_IF_SERVER_IDLE]);
    if (now == FATE_SERVED && c->idle_ns != KA_NONE && gap_ns > c->idle_ns)
        p->closed_ns -= gap_ns - c->idle_ns; /* open until the request at least */
    return make_spare(p, c->lost_ns, c->lost_ns, client_ns, server_ns, spare);
}

/* The gap before a request. True: it was the one before the lost request, and that is none any more. */
static bool play_gap(player *p, const what_if_gap *gap, what_if_loss loss, fate *now)
{
    const what_if_connection *c = p->connection;
    int64_t closed_ns;
    /* A connection on which a request was lost had been closed before that. */
    int64_t open_ns =
        loss != WHAT_IF_LOSS_NONE && c->idle_ns != KA_NONE ? lesser(gap->idle_ns, c->idle_ns) : gap->idle_ns;
    if (is_limit_before(p, gap->number)) {
        *now = FATE_REOPENED;
        closed_ns = 0;
    } else {
        *now = fate_of(p, gap->idle_ns, loss, &closed_ns);
    }
    if (*now == FATE_SERVED)
        count_reuse(p, gap->idle_ns);
    if (*now == FATE_LOST)
        p->tally->lost++;
    if (*now == FATE_SERVED || (*now == FATE_LOST && loss != WHAT_IF_LOSS_NONE))
        return loss != WHAT_IF_LOSS_NONE && *now != FATE_LOST;
    p->tally->connections++; /* also for trying again what was lost */
    p->tally->shareable += gap->other_ns != KA_NONE && gap->other_ns <= timeout_of(p->setting);
    p->first = gap->number;
    if (open_ns > closed_ns)
        p->closed_ns += open_ns - closed_ns;
    return loss != WHAT_IF_LOSS_NONE && *now != FATE_LOST;
}

/* The idle time at the captured end. */
static bool play_end(player *p, what_if_spare *spare)
{
    const what_if_connection *c = p->connection;
    const what_if_setting *s = p->setting;
    int64_t idle_ns = c->idle_ns;
    if (idle_ns == KA_NONE)
        return false;
    if (is_limit_before(p, c->requests + 1)) {
        p->closed_ns += idle_ns;
        return false;
    }
    int64_t client_ns = or_forever(s->value[WHAT_IF_CLIENT_IDLE]);
    int64_t server_ns = or_forever(s->value[WHAT_IF_SERVER_IDLE]);
    if (c->end == WHAT_IF_END_BY_CLIENT && client_ns == FOREVER_NS)
        client_ns = idle_ns;
    if (c->end == WHAT_IF_END_BY_SERVER && server_ns == FOREVER_NS)
        server_ns = idle_ns;
    int64_t limit_ns = lesser(client_ns, server_ns);
    if (limit_ns < idle_ns) {
        p->closed_ns += idle_ns - limit_ns;
        return false;
    }
    bool limit_lifted = c->end == WHAT_IF_END_ANNOUNCED && s->value[WHAT_IF_MAX_REQUESTS] != KA_NONE;
    if (c->end != WHAT_IF_END_BY_CLIENT && c->end != WHAT_IF_END_BY_SERVER && !limit_lifted)
        return false;
    if (!limit_lifted && limit_ns == idle_ns)
        return false;
    return make_spare(p, c->ended_ns - idle_ns, c->ended_ns, client_ns, server_ns, spare);
}

bool what_if_replay(const what_if_connection *c, const what_if_setting *setting, const what_if_ground *ground,
                    what_if_tally *tally, what_if_spare *spare)
{
    player p = {c, setting, ground, tally, 1, 0};
    bool has_spare = false;
    tally->connections++;
    for (uint32_t i = 0; i < c->gap_count; i++) {
        what_if_loss loss = i + 1 == c->gap_count ? (what_if_loss)c->loss : WHAT_IF_LOSS_NONE;
        fate now;
        if (play_gap(&p, &c->gaps[i], loss, &now))
            has_spare = survive(&p, c->gaps[i].idle_ns, now, spare);
    }
    if (c->loss == WHAT_IF_LOSS_NONE)
        has_spare = play_end(&p, spare);
    int64_t open_ns = c->ended_ns - c->opened_ns - p.closed_ns;
    tally->open_us += open_ns > 0 ? open_ns / 1000 : 0;
    return has_spare;
}
