/* recognise.h - whether a file is a capture, by its first bytes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CAPTURE_RECOGNISE_H
#define CAPTURE_RECOGNISE_H

typedef enum recognised {
    RECOGNISED_CAPTURE, /* pcap or pcapng, compressed or not */
    RECOGNISED_OTHER,
    RECOGNISED_UNREADABLE, /* nobody can tell: who opens it will see why */
} recognised;

recognised recognise_capture(const char *path);

#endif
