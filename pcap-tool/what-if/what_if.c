/* what_if.c - the sink that keeps gaps and connections, and the answer for each server.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "what_if.h"

#include "answer.h"
#include "endpoints.h"
#include "others.h"

#include <stdlib.h>

/* One server's connections in the history. */
typedef struct server_range {
    size_t first;
    size_t count;
} server_range;

struct what_if {
    what_if_memory memory;
    what_if_question question;
    ka_sink sink;
    const ka_sink *next;
    what_if_history history;
    what_if_endpoints endpoints;
    server_range *servers;
    size_t server_count;
    int64_t margin_ns;
    int64_t end_ns;
};

/* ---- The sink ---- */

static bool is_wanted(const what_if *self, const ka_address *server)
{
    return !self->question.has_server ||
           what_if_compare_addresses(server, &self->question.server, false) == 0;
}

void what_if_on_gap(void *user, const ka_gap_record *gap)
{
    what_if *self = user;
    if (is_wanted(self, &gap->server))
        what_if_history_gap(&self->history, gap);
}

static void on_connection(void *user, const ka_record *record)
{
    what_if *self = user;
    self->history.newest_stored = false;
    if (is_wanted(self, &record->server))
        what_if_history_connection(&self->history, record);
    if (self->next->connection)
        self->next->connection(self->next->user, record);
}

static void on_finding(void *user, const ka_finding *finding)
{
    what_if *self = user;
    what_if_history_finding(&self->history, finding);
    if (self->next->finding)
        self->next->finding(self->next->user, finding);
}

static void on_exchange(void *user, const ka_exchange_record *exchange)
{
    const what_if *self = user;
    self->next->exchange(self->next->user, exchange);
}

static void on_endpoint(void *user, const ka_endpoint_record *endpoint)
{
    what_if *self = user;
    if (is_wanted(self, &endpoint->server))
        what_if_endpoints_add(&self->endpoints, endpoint);
    if (self->next->endpoint)
        self->next->endpoint(self->next->user, endpoint);
}

what_if *what_if_new(const what_if_question *question, int64_t margin_ns, const ka_sink *next,
                     const what_if_memory *memory)
{
    what_if *self = memory->work.resize(memory->work.user, NULL, sizeof *self);
    if (!self)
        return NULL;
    *self = (struct what_if){
        .memory = *memory,
        .question = *question,
        .next = next,
        .margin_ns = margin_ns,
        .sink = {.user = self,
                 .connection = on_connection,
                 .finding = on_finding,
                 .exchange = next->exchange ? on_exchange : NULL,
                 .endpoint = on_endpoint},
    };
    what_if_history_init(&self->history, &self->memory.history);
    what_if_endpoints_init(&self->endpoints, &self->memory.work);
    return self;
}

void what_if_free(what_if *self)
{
    if (!self)
        return;
    what_if_history_fini(&self->history);
    what_if_endpoints_fini(&self->endpoints);
    ka_allocator allocator = self->memory.work;
    if (self->servers)
        allocator.resize(allocator.user, self->servers, 0);
    allocator.resize(allocator.user, self, 0);
}

const ka_sink *what_if_sink(const what_if *self)
{
    return &self->sink;
}

/* ---- The end ---- */

/* The connections are sorted by server: equal counts keep that order. */
static int compare_servers(const void *left, const void *right)
{
    const server_range *a = left, *b = right;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return a->first < b->first ? -1 : a->first > b->first;
}

static size_t end_of_server(const what_if_history *history, size_t first)
{
    size_t end = first + 1;
    while (end < history->connection_count &&
           what_if_compare_addresses(&history->connections[first].server, &history->connections[end].server,
                                     false) == 0)
        end++;
    return end;
}

/* Client by client. */
static bool find_others(what_if *self)
{
    what_if_history *history = &self->history;
    for (size_t first = 0, end; first < history->connection_count; first = end) {
        what_if_connection *c = history->connections + first;
        end = first + 1;
        while (end < history->connection_count &&
               what_if_compare_addresses(&c->server, &history->connections[end].server, false) == 0 &&
               what_if_compare_addresses(&c->client, &history->connections[end].client, true) == 0)
            end++;
        if (!what_if_find_others(c, end - first, &self->memory.work))
            return false;
    }
    return true;
}

static void find_servers(what_if *self)
{
    const what_if_history *history = &self->history;
    size_t count = 0;
    for (size_t first = 0; first < history->connection_count; first = end_of_server(history, first))
        count++;
    if (count == 0)
        return;
    self->servers = self->memory.work.resize(self->memory.work.user, NULL, count * sizeof *self->servers);
    if (!self->servers)
        return;
    for (size_t first = 0; first < history->connection_count;) {
        size_t end = end_of_server(history, first);
        self->servers[self->server_count++] = (server_range){first, end - first};
        first = end;
    }
    qsort(self->servers, self->server_count, sizeof *self->servers, compare_servers);
}

/* Whether there will be memory to answer for the first server, which has the most connections: then there
 * will be for each, as nothing else is allocated any more. */
static bool can_answer(what_if *self)
{
    what_if_bench bench;
    what_if_deadline deadline;
    const what_if_timer none = {KA_NONE, WHAT_IF_BASIS_NONE, 0};
    const server_range *first = self->servers;
    bool ok = what_if_bench_init(&bench, &self->memory.work, first->count) &&
              what_if_deadline_of(self->history.connections + first->first, first->count, &none,
                                  &self->memory.work, &deadline);
    what_if_bench_fini(&bench);
    return ok;
}

void what_if_finish(what_if *self, int64_t end_ns)
{
    self->end_ns = end_ns;
    what_if_history_finish(&self->history, end_ns);
    what_if_endpoints_sort(&self->endpoints);
    if (find_others(self))
        find_servers(self);
    if (self->servers && !can_answer(self))
        self->server_count = 0;
}

uint64_t what_if_left_out(const what_if *self)
{
    uint64_t unanswered = self->server_count > 0 ? 0 : self->history.connection_count;
    return self->history.left_out + unanswered;
}

uint64_t what_if_servers_unknown(const what_if *self)
{
    return self->endpoints.left_out;
}

/* ---- The answer ---- */

const what_if_question *what_if_asked_of(const what_if *self)
{
    return &self->question;
}

int64_t what_if_margin_ns(const what_if *self)
{
    return self->margin_ns;
}

size_t what_if_server_count(const what_if *self)
{
    return self->server_count;
}

static void count_captured(const what_if_connection *connections, size_t count, what_if_answer *out)
{
    int64_t rtt_ns = 0;
    for (size_t i = 0; i < count; i++) {
        const what_if_connection *c = &connections[i];
        out->requests += c->requests;
        out->gaps += c->gap_count;
        rtt_ns += (c->rtt_client_ns + c->rtt_server_ns) / (int64_t)count;
        out->clients += i == 0 || what_if_compare_addresses(&c->client, &c[-1].client, true) != 0;
    }
    out->rtt_ns = rtt_ns;
}

bool what_if_answer_of(const what_if *self, size_t server, what_if_answer *out)
{
    const server_range *range = &self->servers[server];
    const what_if_connection *connections = self->history.connections + range->first;
    const what_if_question *question = &self->question;
    what_if_setting settings[WHAT_IF_STEPS_MAX];
    what_if_bench bench;
    const what_if_endpoint *endpoint = what_if_endpoints_find(&self->endpoints, &connections->server);
    what_if_answer answer = {.server = &connections->server, .name = endpoint->name};
    bool ok = what_if_bench_init(&bench, &self->memory.work, range->count) &&
              what_if_deadline_of(connections, range->count, &endpoint->timer, &self->memory.work,
                                  &answer.deadline);
    if (ok) {
        const what_if_ground ground = {answer.deadline.idle_ns, answer.deadline.longest_used_ns,
                                       self->margin_ns, self->end_ns};
        count_captured(connections, range->count, &answer);
        answer.now = what_if_outcome_of(connections, range->count, &what_if_as_captured, &ground, &bench);
        answer.now.cost = what_if_cost(&answer.now, &question->price, answer.rtt_ns, self->margin_ns);
        answer.outcome_count = what_if_settings(question, settings);
        for (size_t i = 0; i < answer.outcome_count; i++) {
            what_if_outcome *next = &answer.outcomes[i];
            *next = what_if_outcome_of(connections, range->count, &settings[i], &ground, &bench);
            next->cost = what_if_cost(next, &question->price, answer.rtt_ns, self->margin_ns);
        }
        answer.best = what_if_best(answer.outcomes, answer.outcome_count);
        *out = answer;
    }
    what_if_bench_fini(&bench);
    return ok;
}
