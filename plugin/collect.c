/* collect.c - the first pass: a frame's fields in, the core's facts out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "collect.h"

#include "frame_facts.h"
#include "h2_facts.h"
#include "http_facts.h"
#include "memory.h"
#include "preamble_facts.h"
#include "tls_facts.h"
#include "wanted.h"

/* Segments kept for a direction whose bytes no HTTP message or TLS record claims: enough for a head that
 * comes late, too few to matter for a download in another protocol. */
enum { UNCLAIMED_PIECES_MAX = 65536 };

/* A connection that has settled: what still comes of it is too late. */
static collect_connection settled_mark;

/* ---- Life ---- */

/* The results take all that the core tells but exchanges. */
typedef struct listener {
    ka_sink results;
    collect *all;
} listener;

static void on_connection(void *user, const ka_record *record)
{
    const ka_sink *into = &((listener *)user)->results;
    into->connection(into->user, record);
}

static void on_finding(void *user, const ka_finding *finding)
{
    const ka_sink *into = &((listener *)user)->results;
    into->finding(into->user, finding);
}

static void on_link(void *user, const ka_link_record *link)
{
    const ka_sink *into = &((listener *)user)->results;
    into->link(into->user, link);
}

static void on_exchange(void *user, const ka_exchange_record *exchange)
{
    ((listener *)user)->all->exchange = *exchange;
}

static void on_noted(void *user, const ka_finding *finding)
{
    collect *self = user;
    results_finding *added = wmem_new(wmem_file_scope(), results_finding);
    *added = (results_finding){self->noted, *finding};
    self->noted = added;
}

static void on_settled(void *user, void *owner)
{
    collect *self = user;
    collect_connection *connection = owner;
    self->connections[connection->stream] = &settled_mark;
    for (unsigned direction = 0; direction < 2; direction++) {
        track_fini(&connection->sides[direction].track, &memory_file);
        wmem_free(wmem_file_scope(), connection->sides[direction].waiting);
        wmem_free(wmem_file_scope(), connection->sides[direction].begun);
        wmem_free(wmem_file_scope(), connection->sides[direction].first);
    }
    wmem_free(wmem_file_scope(), connection);
}

static guint hash_ends(const void *key)
{
    return wmem_strong_hash(key, 2 * sizeof(ka_address));
}

static gboolean equal_ends(const void *a, const void *b)
{
    return memcmp(a, b, 2 * sizeof(ka_address)) == 0;
}

collect *collect_new(const ka_thresholds *thresholds, const ka_address *proxy, size_t proxy_count)
{
    collect *self = wmem_new0(wmem_file_scope(), collect);
    self->results = results_new();
    self->by_ends = wmem_map_new(wmem_file_scope(), hash_ends, equal_ends);
    self->precision = -1;
    listener *ears = wmem_new(wmem_file_scope(), listener);
    *ears = (listener){results_sink(self->results), self};
    ka_config config = {
        .thresholds = *thresholds,
        .allocator = memory_file,
        .sink = {ears, on_connection, on_finding, on_exchange, NULL, NULL, on_link},
        .settled = on_settled,
        .settled_user = self,
        .noted = on_noted,
        .proxy_addresses = proxy,
        .proxy_address_count = proxy_count,
        .hash_seed = (uint64_t)g_random_int() << 32 | g_random_int(),
    };
    ka_audit_new(&config, &self->audit); /* fails for want of memory alone, and wmem never does */
    return self;
}

void collect_free(collect *self)
{
    results_free(self->results); /* the audit's memory goes with the file scope */
}

/* ---- Connections ---- */

static collect_connection **slot_of(collect *self, uint32_t stream)
{
    if (stream >= self->connection_room) {
        uint32_t room = self->connection_room == 0 ? 64 : self->connection_room;
        while (room <= stream)
            room *= 2;
        self->connections = wmem_realloc(wmem_file_scope(), self->connections, room * sizeof(void *));
        memset(self->connections + self->connection_room, 0, (room - self->connection_room) * sizeof(void *));
        self->connection_room = room;
    }
    return &self->connections[stream];
}

/* Wireshark says the ports are used anew. */
static void end_older(collect *self, const tcp_facts *tcp)
{
    bool swap = memcmp(&tcp->source, &tcp->target, sizeof tcp->source) > 0;
    ka_address ends[2] = {swap ? tcp->target : tcp->source, swap ? tcp->source : tcp->target};
    void *older;
    if (wmem_map_lookup_extended(self->by_ends, ends, NULL, &older)) {
        collect_connection *connection = *slot_of(self, GPOINTER_TO_UINT(older));
        if (connection != NULL && connection != &settled_mark)
            ka_connection_end(self->audit, connection->core, KA_GATE_PORT_REUSE);
    }
    wmem_map_insert(self->by_ends, wmem_memdup(wmem_file_scope(), ends, sizeof ends),
                    GUINT_TO_POINTER(tcp->stream));
}

static collect_connection *open_connection(collect *self, const tcp_facts *tcp)
{
    end_older(self, tcp);
    collect_connection *added = wmem_new0(wmem_file_scope(), collect_connection);
    added->stream = tcp->stream;
    added->ends[0] = tcp->source;
    added->ends[1] = tcp->target;
    added->began_with_syn = tcp->segment.flags & KA_SYN;
    ka_connection_open(self->audit, tcp->stream, added->ends, added, &added->core);
    return added;
}

static collect_connection *connection_of(collect *self, packet_info *pinfo, const tcp_facts *tcp)
{
    collect_connection **slot = slot_of(self, tcp->stream);
    if (*slot == &settled_mark)
        return NULL;
    if (*slot == NULL) {
        collect_connection *opened = open_connection(self, tcp);
        slot = slot_of(self, tcp->stream);
        *slot = opened;
        frame_facts_add(pinfo, FRAME_FACT_OPEN, tcp->stream);
    }
    return *slot;
}

/* ---- Sequence numbers ---- */

/* Bytes reassembled from several frames: the first one's payload goes on to its end. */
static bool reassembled_seq(const collect_frame *frame, tvbuff_t *bytes, int start, uint32_t *seq)
{
    const track *seen = &frame->connection->sides[frame->direction].track;
    const field_info *last = NULL;
    unsigned count = wanted_count(frame->tree, WANTED_TCP_SEGMENT);
    for (unsigned i = 0; i < count; i++) {
        const field_info *item = wanted_item(frame->tree, WANTED_TCP_SEGMENT, i);
        if (item->ds_tvb != bytes)
            continue;
        const track_piece *piece = track_of_frame(seen, compat_uinteger(item));
        if (last == NULL && piece != NULL) {
            *seq = piece->seq + piece->len_bytes + (uint32_t)(start - (item->start + item->length));
            return true;
        }
        last = item;
    }
    if (last == NULL)
        return false;
    const track_piece *piece = track_of_frame(seen, compat_uinteger(last));
    *seq = (piece != NULL ? piece->seq : frame->tcp.payload_seq) + (uint32_t)(start - last->start);
    return true;
}

bool collect_seq(const collect_frame *frame, tvbuff_t *bytes, int start, uint32_t *seq)
{
    if (bytes != frame->tcp.bytes)
        return reassembled_seq(frame, bytes, start, seq);
    *seq = frame->tcp.payload_seq + (uint32_t)(start - frame->tcp.payload_start);
    return start >= frame->tcp.payload_start;
}

/* ---- Frames ---- */

/* Decides for connections whose bytes no dissector of ours ever claims. */
static void guess_protocol(collect_frame *frame, ka_slice bytes)
{
    collect_connection *connection = frame->connection;
    connection->sides[frame->direction].guessed = true;
    if (!connection->began_with_syn || connection->http || connection->tls || connection->over ||
        connection->h2)
        return;
    ka_protocol guess = http_guess(bytes);
    if (guess == KA_PROTOCOL_OTHER || guess == KA_PROTOCOL_H2C)
        ka_protocol_seen(connection->core, guess);
    connection->other = guess == KA_PROTOCOL_OTHER;
    connection->h2 = guess == KA_PROTOCOL_H2C;
}

/* Bytes from before the newest ones that were not seen until now: unless it was told to put segments in
 * order, Wireshark may lose the message they belong to. */
static void note_out_of_order(collect_frame *frame)
{
    collect_side *side = &frame->connection->sides[frame->direction];
    uint32_t seq = frame->tcp.payload_seq;
    uint32_t end = seq + frame->tcp.segment.len_bytes;
    bool is_late = (side->spoke && seq_minus(seq, side->next_seq) < 0) || side->fin.frame != 0;
    if (!side->has_claimed && !side->has_syn && (!side->spoke || seq_minus(seq, side->claimed_seq) < 0))
        side->claimed_seq = seq; /* where the first message begins */
    if (is_late && track_of_byte(&side->track, seq) == NULL)
        side->reordered = true;
    if (side->spoke && seq_minus(end, side->next_seq) <= 0)
        return;
    if (side->ahead_bytes > 0)
        side->ahead_bytes -= MIN(side->ahead_bytes, end - side->next_seq);
    side->next_seq = end;
}

static void take_syn(collect_frame *frame)
{
    collect_side *side = &frame->connection->sides[frame->direction];
    if (side->spoke || side->has_claimed)
        return;
    side->has_syn = true;
    side->claimed_seq = frame->tcp.payload_seq;
}

static void take_first_bytes(collect_frame *frame)
{
    if (frame->connection->sides[frame->direction].guessed)
        return;
    ka_slice first = preamble_facts_tell(frame);
    if (first.len_bytes > 0)
        guess_protocol(frame, first);
}

static void take_payload(collect_frame *frame)
{
    collect_connection *connection = frame->connection;
    collect_side *side = &connection->sides[frame->direction];
    const ka_segment *segment = &frame->tcp.segment;
    connection->cut = connection->cut || segment->captured_bytes < segment->len_bytes;
    note_out_of_order(frame);
    side->guessed = side->guessed || (!side->spoke && segment->captured_bytes == 0);
    side->spoke = true;
    bool unclaimed = side->track.count - side->track.first >= UNCLAIMED_PIECES_MAX && !connection->http &&
                     !connection->tls && !connection->h2;
    if (unclaimed || side->ahead_bytes > 0)
        track_fini(&side->track, &memory_file);
    if (!connection->over)
        track_add(&side->track, &memory_file, segment, frame->tcp.payload_seq);
    if (segment->captured_bytes > 0)
        take_first_bytes(frame);
}

static void take_close(collect_frame *frame)
{
    const ka_segment *segment = &frame->tcp.segment;
    collect_side *side = &frame->connection->sides[frame->direction];
    if (segment->flags & KA_RST) {
        frame_facts_add(frame->pinfo, FRAME_FACT_RST, frame->connection->stream);
    } else if (segment->flags & KA_FIN && side->fin.frame == 0) {
        side->fin = (ka_moment){segment->time_ns, segment->frame};
        side->fin_seq = frame->tcp.payload_seq + segment->len_bytes;
        frame_facts_add(frame->pinfo, FRAME_FACT_FIN, frame->connection->stream);
    }
}

static void note_precision(collect *self, const packet_info *pinfo)
{
    int precision = pinfo->rec != NULL ? pinfo->rec->tsprec : -1;
    if (precision == self->precision || precision < 0 || precision > 9)
        return;
    self->precision = precision;
    int64_t tick_ns = 1;
    for (int digit = precision; digit < 9; digit++)
        tick_ns *= 10;
    ka_audit_resolution(self->audit, tick_ns);
}

static void tell_segment(collect_frame *frame)
{
    ka_segment *segment = &frame->tcp.segment;
    const ka_address *first = &frame->connection->ends[0];
    frame->direction = memcmp(first, &frame->tcp.source, sizeof *first) == 0 ? 0 : 1;
    segment->direction = (uint8_t)frame->direction;
    ka_segment_seen(frame->all->audit, frame->connection->core, segment);
    if (segment->flags & KA_SYN)
        take_syn(frame);
    if (segment->len_bytes > 0)
        take_payload(frame);
    take_close(frame);
}

const collect_connection *collect_take(collect *self, packet_info *pinfo, proto_tree *tree)
{
    collect_frame frame = {.all = self, .pinfo = pinfo, .tree = tree};
    self->packets++;
    self->bytes += pinfo->fd->pkt_len;
    self->noted = NULL;
    note_precision(self, pinfo);
    if (tree == NULL || !tcp_facts_read(pinfo, tree, &frame.tcp))
        return NULL;
    frame.connection = connection_of(self, pinfo, &frame.tcp);
    if (frame.connection == NULL)
        return NULL;
    self->facts++;
    tell_segment(&frame);
    if (!frame.connection->over)
        tls_facts_tell(&frame);
    http_facts_tell(&frame);
    h2_facts_tell(&frame);
    return frame.connection;
}
