/* path.c - the different paths of a capture, each once.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "path.h"

#include <stdio.h>
#include <string.h>

enum {
    /* As many as 16 bits tell apart without the two that are taken. A mobile network's subscribers may be
     * more, each a tunnel; their connections are told apart all the same. */
    PATHS_MAX = PACKET_PATH_UNKNOWN - 1,
    FIRST_SLOTS = 64, /* a power of two, as all sizes are */
};

typedef struct path_entry {
    uint32_t hash;
    uint16_t tenant;
    uint16_t count;
    path_layer layers[];
} path_entry;

static void *resize(const path_table *table, void *old, size_t new_bytes)
{
    return table->allocator->resize(table->allocator->user, old, new_bytes);
}

void path_table_fini(path_table *table)
{
    for (uint32_t i = 0; i < table->count; i++)
        resize(table, table->entries[i], 0);
    resize(table, table->entries, 0);
    resize(table, table->slots, 0);
}

static uint32_t hash_path(const path_table *table, const packet_path *path)
{
    uint64_t hash = table->seed;
    for (uint32_t i = 0; i < path->count; i++) {
        hash = (hash ^ path->layers[i].kind ^ (uint64_t)path->layers[i].id << 8) * 0x9e3779b97f4a7c15;
        hash ^= hash >> 29;
    }
    return (uint32_t)(hash >> 16);
}

static bool is_path(const path_table *table, uint16_t number, const packet_path *path)
{
    const path_entry *entry = table->entries[number - 1];
    return entry->count == path->count &&
           memcmp(entry->layers, path->layers, path->count * sizeof path->layers[0]) == 0;
}

static void put_slot(path_table *table, uint32_t hash, uint16_t number)
{
    uint32_t mask = table->slot_count - 1;
    uint32_t i = hash & mask;
    while (table->slots[i] != 0)
        i = (i + 1) & mask;
    table->slots[i] = number;
}

/* Room for one more: slots at most half full. */
static bool grow(path_table *table)
{
    if (table->count < table->slot_count / 2)
        return true;
    uint32_t slot_count = table->slot_count == 0 ? FIRST_SLOTS : table->slot_count * 2;
    path_entry **entries = resize(table, table->entries, slot_count / 2 * sizeof *entries);
    if (entries == NULL)
        return false;
    table->entries = entries;
    uint16_t *slots = resize(table, NULL, slot_count * sizeof *slots);
    if (slots == NULL)
        return false;
    resize(table, table->slots, 0);
    table->slots = memset(slots, 0, slot_count * sizeof *slots);
    table->slot_count = slot_count;
    for (uint32_t i = 0; i < table->count; i++)
        put_slot(table, entries[i]->hash, (uint16_t)(i + 1));
    return true;
}

static uint16_t add(path_table *table, uint32_t hash, const packet_path *path)
{
    if (table->count == PATHS_MAX || !grow(table))
        return PACKET_PATH_UNKNOWN;
    path_entry *entry = resize(table, NULL, sizeof *entry + path->count * sizeof path->layers[0]);
    if (entry == NULL)
        return PACKET_PATH_UNKNOWN;
    *entry = (path_entry){.hash = hash, .count = (uint16_t)path->count};
    memcpy(entry->layers, path->layers, path->count * sizeof path->layers[0]);
    table->entries[table->count++] = entry;
    put_slot(table, hash, (uint16_t)table->count);
    return (uint16_t)table->count;
}

static packet_path tenant_of(const packet_path *path)
{
    packet_path tenant = {.count = 0};
    for (uint32_t i = 0; i < path->count; i++)
        if (path->layers[i].kind < PATH_TENANT_COUNT)
            tenant.layers[tenant.count++] = path->layers[i];
    return tenant;
}

static uint16_t find(const path_table *table, uint32_t hash, const packet_path *path)
{
    uint32_t mask = table->slot_count - 1;
    if (table->slot_count == 0)
        return 0;
    for (uint32_t i = hash & mask; table->slots[i] != 0; i = (i + 1) & mask)
        if (is_path(table, table->slots[i], path))
            return table->slots[i];
    return 0;
}

uint16_t path_number(path_table *table, const packet_path *path)
{
    if (path->count == 0)
        return 0;
    if (table->newest != 0 && is_path(table, table->newest, path))
        return table->newest;
    uint32_t hash = hash_path(table, path);
    uint16_t number = find(table, hash, path);
    if (number == 0) {
        packet_path tenant = tenant_of(path); /* at most one step down: a tenant's tenant is itself */
        uint16_t of = tenant.count < path->count ? path_number(table, &tenant) : 0;
        number = add(table, hash, path);
        if (number == PACKET_PATH_UNKNOWN)
            return number;
        table->entries[number - 1]->tenant = tenant.count < path->count ? of : number;
    }
    table->newest = number;
    return number;
}

uint16_t path_tenant(path_table *table, const packet_path *path, uint16_t number)
{
    if (number == 0)
        return 0;
    if (number != PACKET_PATH_UNKNOWN)
        return table->entries[number - 1]->tenant;
    packet_path tenant = tenant_of(path);
    return path_number(table, &tenant);
}

/* ---- Words ---------------------------------------------------------------------------------- */

typedef struct path_word {
    const char *word;
    bool has_id;
} path_word;

static const path_word words[] = {
    [PATH_VLAN] = {"vlan", true},   [PATH_VXLAN] = {"vxlan", true}, [PATH_GENEVE] = {"geneve", true},
    [PATH_GRE_KEY] = {"gre", true}, [PATH_MPLS] = {"mpls", true},   [PATH_PPPOE] = {"pppoe", true},
    [PATH_GRE] = {"gre", false},    [PATH_PPTP] = {"pptp", true},   [PATH_ERSPAN] = {"erspan", true},
    [PATH_GTP_U] = {"gtp-u", true}, [PATH_4IN4] = {"4in4", false},  [PATH_4IN6] = {"4in6", false},
    [PATH_6IN4] = {"6in4", false},  [PATH_6IN6] = {"6in6", false},
};

size_t path_text(const path_table *table, uint16_t number, char *out, size_t size)
{
    size_t len = 0;
    if (number == 0 || number == PACKET_PATH_UNKNOWN)
        return (size_t)snprintf(out, size, "%s", number == 0 ? "none" : "unknown");
    const path_entry *entry = table->entries[number - 1];
    for (uint32_t i = 0; i < entry->count && len < size; i++) {
        const path_word *word = &words[entry->layers[i].kind];
        len += (size_t)snprintf(out + len, size - len, "%s%s", i > 0 ? " / " : "", word->word);
        if (word->has_id && len < size)
            len += (size_t)snprintf(out + len, size - len, " %u", entry->layers[i].id);
    }
    return len < size ? len : size - 1;
}
