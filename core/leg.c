/* leg.c - the ring of the newest requests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "leg.h"

#include "field.h"
#include "hash.h"
#include "memory.h"

void ka_legs_fini(ka_legs *ls, const ka_allocator *allocator)
{
    ka_memory_give(allocator, ls->ring);
    for (unsigned by = 0; by < KA_CHAINS; by++)
        ka_memory_give(allocator, ls->chains[by]);
    *ls = (ka_legs){.seed = ls->seed};
}

ka_status ka_legs_copy(const ka_legs *ls, const ka_allocator *allocator, ka_legs *out)
{
    ka_legs copy = *ls;
    memset(copy.chains, 0, sizeof copy.chains);
    if (ls->ring != NULL) {
        copy.ring = ka_memory_take(allocator, ls->room * sizeof *copy.ring);
        if (copy.ring == NULL)
            return KA_NO_MEMORY;
        memcpy(copy.ring, ls->ring, ls->room * sizeof *copy.ring);
    }
    *out = copy;
    return KA_OK;
}

static ka_leg *place_of(const ka_legs *ls, uint32_t serial)
{
    return &ls->ring[serial & (ls->room - 1)];
}

ka_leg *ka_legs_find(const ka_legs *ls, uint32_t serial)
{
    if (serial == 0 || ls->ring == NULL)
        return NULL;
    ka_leg *leg = place_of(ls, serial);
    return leg->serial == serial ? leg : NULL;
}

/* ---- Chains of those that wait for an answer ---- */

uint64_t ka_leg_hash(const ka_leg *leg, unsigned by)
{
    return by != KA_BY_EITHER ? leg->at[by] : leg->like.id != 0 ? leg->like.id : leg->like.key;
}

uint64_t ka_likeness_at(uint64_t hash, const ka_address *server)
{
    if (hash == 0)
        return 0;
    return ka_hash_bytes((ka_slice){(const char *)server->ip, sizeof server->ip}, hash ^ server->version) | 1;
}

static uint32_t *chain_of(const ka_legs *ls, unsigned by, uint64_t hash)
{
    return &ls->chains[by][ka_hash_mix(hash ^ ls->seed) & (ls->room - 1)];
}

ka_leg *ka_legs_alike(const ka_legs *ls, unsigned by, uint64_t hash)
{
    return hash != 0 ? ka_legs_find(ls, *chain_of(ls, by, hash)) : NULL;
}

static void hang(ka_legs *ls, ka_leg *leg, unsigned by)
{
    uint32_t *first = chain_of(ls, by, ka_leg_hash(leg, by));
    ka_leg *before = ka_legs_find(ls, *first);
    leg->newer[by] = 0;
    leg->older[by] = *first;
    if (before != NULL)
        before->newer[by] = leg->serial;
    *first = leg->serial;
}

void ka_legs_wait(ka_legs *ls, ka_leg *leg)
{
    leg->waits = true;
    leg->at[KA_BY_ID] = ka_likeness_at(leg->like.id, &leg->server);
    leg->at[KA_BY_KEY] = ka_likeness_at(leg->like.key, &leg->server);
    for (unsigned by = 0; by < KA_CHAINS; by++) {
        if (ka_leg_hash(leg, by) != 0)
            hang(ls, leg, by);
    }
}

static void unhang(ka_legs *ls, ka_leg *leg, unsigned by)
{
    ka_leg *newer = ka_legs_find(ls, leg->newer[by]);
    ka_leg *older = ka_legs_find(ls, leg->older[by]);
    if (newer != NULL)
        newer->older[by] = leg->older[by];
    else
        *chain_of(ls, by, ka_leg_hash(leg, by)) = leg->older[by];
    if (older != NULL)
        older->newer[by] = leg->newer[by];
}

void ka_legs_answered(ka_legs *ls, ka_leg *leg)
{
    if (!leg->waits)
        return;
    leg->waits = false;
    for (unsigned by = 0; by < KA_CHAINS; by++) {
        if (ka_leg_hash(leg, by) != 0)
            unhang(ls, leg, by);
    }
}

/* ---- The ring ---- */

bool ka_leg_matters(const ka_leg *leg)
{
    bool failed = leg->status == 0 || leg->status >= 500 || leg->late;
    return (leg->attempts > 0 && failed) || (leg->downstream != 0 && (leg->status == 0 || leg->late));
}

static uint32_t count_pinned(const ka_legs *ls)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < ls->room; i++)
        count += ls->ring[i].serial != 0 && ka_leg_matters(&ls->ring[i]);
    return count;
}

static ka_status resize(ka_legs *ls, const ka_allocator *allocator, uint32_t room)
{
    ka_legs larger = {.room = room, .serial = ls->serial, .left_out = ls->left_out, .seed = ls->seed};
    larger.ring = ka_memory_take(allocator, room * sizeof *larger.ring);
    bool taken = larger.ring != NULL;
    for (unsigned by = 0; by < KA_CHAINS; by++) {
        larger.chains[by] = ka_memory_take(allocator, room * sizeof(uint32_t));
        taken = taken && larger.chains[by] != NULL;
    }
    if (!taken) {
        ka_legs_fini(&larger, allocator);
        return KA_NO_MEMORY;
    }
    for (uint32_t i = 0; i < ls->room;
         i++) /* serials that differed in the smaller room differ in the larger */
        if (ls->ring[i].serial != 0)
            *place_of(&larger, ls->ring[i].serial) = ls->ring[i];
    for (uint32_t i = 1; i <= room; i++) { /* the newest comes to the front of its chains */
        ka_leg *leg = place_of(&larger, ls->serial + i);
        if (leg->serial != 0 && leg->waits)
            ka_legs_wait(&larger, leg);
    }
    ka_legs_fini(ls, allocator);
    *ls = larger;
    return KA_OK;
}

/* Long enough for the answer to a failure, and for its connection to settle. */
#define KEPT_NS (10 * KA_SECOND_NS)

/* A request that is sent on is so by then. */
#define WAITING_NS (2 * KA_SECOND_NS)

static bool is_needed(const ka_leg *leg, int64_t now_ns)
{
    return leg->serial != 0 && (ka_leg_matters(leg) || leg->waits || now_ns - leg->request.time_ns < KEPT_NS);
}

/* The place that comes next is still in use. */
static bool is_too_small(const ka_legs *ls, int64_t now_ns, bool matter, bool keep)
{
    const ka_leg *next = place_of(ls, ls->serial + 1);
    if (ls->room >= (matter || keep ? KA_LEGS_MAX : KA_LEGS_WAITING) || next->serial == 0)
        return false;
    if (keep)
        return true;
    if (matter)
        return is_needed(next, now_ns);
    return next->waits && now_ns - next->request.time_ns < WAITING_NS;
}

/* Where what matters takes half of the room, something has to go: the oldest. Counted now and then. */
static bool is_crowded(ka_legs *ls)
{
    if (ls->uncounted++ >= ls->room) {
        ls->pinned = count_pinned(ls);
        ls->uncounted = 0;
    }
    return ls->pinned > ls->room / 2;
}

ka_leg *ka_legs_add(ka_legs *ls, const ka_allocator *allocator, int64_t now_ns, bool matter, bool keep)
{
    if (ls->room == 0 && resize(ls, allocator, KA_LEGS_FIRST) != KA_OK)
        return NULL;
    if (is_too_small(ls, now_ns, matter, keep) && resize(ls, allocator, 2 * ls->room) != KA_OK)
        return NULL;
    bool crowded = is_crowded(ls);
    uint32_t serial = ls->serial + 1;
    for (uint32_t i = 0; i < ls->room && !crowded && ka_leg_matters(place_of(ls, serial)); i++)
        serial++;
    serial += serial == 0 ? 1 : 0; /* after four thousand million requests */
    ka_leg *leg = place_of(ls, serial);
    ls->left_out += leg->serial != 0 && ka_leg_matters(leg) ? 1 : 0;
    ka_legs_answered(ls, leg);
    memset(leg, 0, sizeof *leg);
    leg->serial = ls->serial = serial;
    leg->unhappy.lost = KA_FINDING_COUNT;
    return leg;
}

/* ---- Likeness ---- */

static ka_slice from(ka_slice text, size_t at)
{
    if (at == 0)
        return text; /* perhaps of no bytes at all */
    return (ka_slice){text.bytes + at, text.len_bytes - at};
}

/* A client sends its proxy "http://host/path", the proxy sends "/path" on (RFC 9112 section 3.2.2). */
static ka_slice path_of(ka_slice target)
{
    static const ka_slice root = {"/", 1};
    if (target.len_bytes == 0 || target.bytes[0] == '/')
        return target;
    const char *colon = memchr(target.bytes, ':', target.len_bytes);
    size_t at = colon != NULL ? (size_t)(colon - target.bytes) : 0;
    if (colon == NULL || target.len_bytes - at < 3 || memcmp(colon, "://", 3) != 0)
        return target;
    ka_slice authority = from(target, at + 3);
    const char *slash = memchr(authority.bytes, '/', authority.len_bytes);
    return slash != NULL ? from(authority, (size_t)(slash - authority.bytes)) : root;
}

/* "shop/cart?id=7" -> "cart?id=7": the query may have slashes. */
static ka_slice last_segment(ka_slice path)
{
    const char *query = path.len_bytes > 0 ? memchr(path.bytes, '?', path.len_bytes) : NULL;
    size_t at = query != NULL ? (size_t)(query - path.bytes) : path.len_bytes;
    while (at > 0 && path.bytes[at - 1] != '/')
        at--;
    return from(path, at);
}

static uint64_t not_zero(uint64_t hash)
{
    return hash != 0 ? hash : 1;
}

uint64_t ka_likeness_key(const ka_message *m)
{
    return not_zero(ka_hash_bytes(path_of(m->target), ka_hash_bytes(m->method, 0)));
}

void ka_likeness_of(const ka_message *m, ka_likeness *out)
{
    ka_slice path = path_of(m->target);
    uint64_t method = ka_hash_bytes(m->method, 0);
    uint64_t tail = 0;
    *out = (ka_likeness){.key = not_zero(ka_hash_bytes(path, method)),
                         .has_length = m->framing == KA_FRAMING_LENGTH || m->framing == KA_FRAMING_NONE,
                         .body_bytes = m->body_bytes};
    for (size_t i = 0; i < m->field_count; i++) {
        const ka_field *field = &m->fields[i];
        ka_slice trace;
        if (field->name == KA_FIELD_HOST)
            out->host = (uint32_t)ka_hash_bytes(field->value, 0);
        if (field->name != KA_FIELD_REQUEST_ID || field->value.len_bytes == 0)
            continue;
        if (tail == 0)
            tail = not_zero(ka_hash_bytes(last_segment(path), method));
        bool is_trace = ka_field_trace_id(field->value, &trace);
        if (is_trace && out->id != 0)
            continue; /* a request id tells one request from all others, a trace has many */
        out->by_trace = is_trace;
        out->id = not_zero(ka_hash_bytes(is_trace ? trace : field->value, tail));
    }
}

ka_hop_fields ka_hop_fields_of(const ka_message *m)
{
    ka_hop_fields out = {0, 0};
    for (size_t i = 0; i < m->field_count; i++) {
        const ka_field *field = &m->fields[i];
        if (field->name == KA_FIELD_KEEP_ALIVE)
            out.keep_alive = (uint32_t)not_zero((uint32_t)ka_hash_bytes(field->value, out.keep_alive));
        else if (field->name == KA_FIELD_PROXY_CONNECTION)
            out.proxy_connection = (uint32_t)not_zero((uint32_t)ka_hash_bytes(field->value, 0));
    }
    return out;
}
