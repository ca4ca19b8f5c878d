/* compat.h - what differs between Wireshark 4.0, 4.2, 4.4 and 4.6. No other file asks for the version.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Include it first: Wireshark's headers want their own macros set before the first of them.
 */
#ifndef PLUGIN_COMPAT_H
#define PLUGIN_COMPAT_H

#define WS_BUILD_DLL
#include <wireshark.h>

#include <epan/packet.h>
#include <epan/proto_data.h>
#include <epan/stats_tree.h>
#include <wiretap/wtap.h>
#include <ws_version.h>

#define COMPAT_AT_LEAST(major, minor)                                                                        \
    (WIRESHARK_VERSION_MAJOR > (major) ||                                                                    \
     (WIRESHARK_VERSION_MAJOR == (major) && WIRESHARK_VERSION_MINOR >= (minor)))

/* 4.2 made field_info.value a pointer. */
static inline uint32_t compat_uinteger(const field_info *item)
{
#if COMPAT_AT_LEAST(4, 2)
    return fvalue_get_uinteger(item->value);
#else
    return fvalue_get_uinteger((fvalue_t *)&item->value);
#endif
}

/* tvb_get_guint8 becomes tvb_get_uint8 on the way. */
static inline uint8_t compat_byte(tvbuff_t *bytes, int at)
{
    return tvb_get_ptr(bytes, at, 1)[0];
}

/* What a boolean preference points to: 4 bytes, then 1. */
#if COMPAT_AT_LEAST(4, 4)
typedef bool compat_bool;
#else
typedef gboolean compat_bool;
#endif

/* The callback of register_stat_tap_ui: since 4.6 it tells whether it could start. */
#if COMPAT_AT_LEAST(4, 6)
typedef bool compat_started;
#define COMPAT_STARTED(started) return (started)
#else
typedef void compat_started;
#define COMPAT_STARTED(started) (void)(started)
#endif

/* Between the parts of a statistics tree's menu path. */
#if COMPAT_AT_LEAST(4, 4)
#define COMPAT_MENU "//"
#else
#define COMPAT_MENU "/"
#endif

/* HTTP/3: 4.0 shows its frames but registers no field for the names in its header blocks, and a QUIC
 * connection is no TCP stream: the finding h2-connection-field is not made for HTTP/3. */

#endif
