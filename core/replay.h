/* replay.h - linking requests of captures whose clocks disagree, at the end of the capture.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * With several inputs or interfaces, requests that found no partner as they came are looked at once more:
 * those that look alike on two of them, and like no others, show how far their clocks are apart; with that
 * corrected all are linked again, in the order in which they really came.
 */
#ifndef KA_REPLAY_H
#define KA_REPLAY_H

#include "clock.h"
#include "link.h"

/* Works on a copy that is judged and thrown away: times of legs may be changed to the clock of the first
 * interface. */
ka_status ka_links_replay(ka_links *copy);

#endif
