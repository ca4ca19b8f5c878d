/* orphan.h - requests that a proxy let go on without their client, and what became of their connections.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef KA_ORPHAN_H
#define KA_ORPHAN_H

#include "link.h"

/* The client has gone while its request waited: it reset, or closed too late behind the request for having
 * ended its sending only. */
bool ka_orphan_is(const ka_links *links, const ka_leg *downstream, const ka_leg *upstream,
                  int64_t half_close_ns);
/* After an orphan's answer, and in sight of others that were opened: for how long its connection to the
 * server lay unused, to the capture's end or the server's close. KA_NONE: it was used again, could not be, or
 * the proxy closed it. */
int64_t ka_orphan_unused_ns(const ka_links *links, const ka_leg *upstream, const ka_pair *pair);
/* The capture is over, and all connections are judged: tells the routes how else the proxy keeps and uses
 * connections, and the pairs how many it opened meanwhile. */
ka_status ka_orphans_compare(ka_links *links, const ka_thresholds *limits);

#endif
