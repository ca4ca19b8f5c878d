/* preferences.c - the tool's options as preferences.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "preferences.h"

#include <epan/prefs.h>
#include <wsutil/inet_addr.h>

enum { ROW_COUNT = sizeof(ka_thresholds) / sizeof(int64_t) };

static compat_bool enabled = TRUE;
static const char *proxy = "";
static guint values[ROW_COUNT]; /* durations in milliseconds */

static int64_t scale_of(const ka_threshold_row *row)
{
    return row->unit == KA_NS ? KA_MILLISECOND_NS : 1;
}

static const char *unit_of(const ka_threshold_row *row)
{
    switch (row->unit) {
    case KA_NS:
        return " (ms)";
    case KA_PERCENT:
        return " (%)";
    case KA_BYTES:
        return " (bytes)";
    default:
        return "";
    }
}

/* "early-tolerance" -> "early_tolerance"; in titles "Early tolerance (ms)". Lives as long as the program. */
static char *with(const char *option, char dash, const char *behind)
{
    char *text = wmem_strdup_printf(wmem_epan_scope(), "%s%s", option, behind);
    for (char *at = text; *at != '\0'; at++)
        *at = *at == '-' ? dash : *at;
    return text;
}

static void register_row(module_t *module, const ka_threshold_row *row, guint *value)
{
    char *title = with(row->option, ' ', unit_of(row));
    title[0] = g_ascii_toupper(title[0]);
    *value = (guint)(row->value / scale_of(row));
    prefs_register_uint_preference(module, with(row->option, '_', ""), title, row->reason, 10, value);
}

void preferences_register(int protocol)
{
    module_t *module = prefs_register_protocol(protocol, NULL);
    prefs_register_bool_preference(module, "enabled", "Audit HTTP connections",
                                   "Switched off, the audit costs nothing", &enabled);
    prefs_register_string_preference(
        module, "proxy", "Addresses of one proxy",
        "Where its clients connect and where it connects from, with commas between; found "
        "without this where they are one, or enough requests went through",
        &proxy);
    size_t count;
    const ka_threshold_row *rows = ka_threshold_rows(&count);
    for (size_t i = 0; i < count && i < ROW_COUNT; i++)
        register_row(module, &rows[i], &values[i]);
}

bool preferences_enabled(void)
{
    return enabled;
}

void preferences_thresholds(ka_thresholds *out)
{
    size_t count;
    const ka_threshold_row *rows = ka_threshold_rows(&count);
    ka_thresholds_init(out);
    for (size_t i = 0; i < count && i < ROW_COUNT; i++)
        *(int64_t *)((char *)out + rows[i].offset) = (int64_t)values[i] * scale_of(&rows[i]);
}

static bool read_address(const char *text, ka_address *out)
{
    ws_in4_addr v4;
    ws_in6_addr v6;
    *out = (ka_address){{0}, 0, 4};
    if (ws_inet_pton4(text, &v4)) {
        memcpy(out->ip, &v4, sizeof v4);
        return true;
    }
    out->version = 6;
    if (!ws_inet_pton6(text, &v6))
        return false;
    memcpy(out->ip, &v6, sizeof v6);
    return true;
}

size_t preferences_proxy(ka_address out[PREFERENCES_PROXY_MAX])
{
    size_t count = 0;
    gchar **texts = g_strsplit(proxy, ",", -1);
    for (size_t i = 0; texts[i] != NULL && count < PREFERENCES_PROXY_MAX; i++)
        count += read_address(g_strstrip(texts[i]), &out[count]) ? 1 : 0;
    g_strfreev(texts);
    return count;
}
