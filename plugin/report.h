/* report.h - `tshark -z keptalive,report`: the tool's NDJSON.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PLUGIN_REPORT_H
#define PLUGIN_REPORT_H

void report_register(void);

#endif
