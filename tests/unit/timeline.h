/* timeline.h - a test's story of some connections: who sent what when, and what the audit said about it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Times are seconds on the clock of whoever sends. The path is 50 ms there and back; the capture point
 * splits it. Sequence and ACK numbers follow: a side acknowledges what has reached it by the time it sends,
 * and everything that arrives is acknowledged at once. So crossing needs no numbers, only times; and one
 * story can be seen from three places.
 *
 *     timeline_begin(&t, AT_MIDDLE);
 *     conversation *c = connect_at(&t, 0);
 *     request(c, 0.1, "");
 *     response(c, 0.2, KEEP_5);
 *     mark *close = fin(c, SERVER, 3.2);
 *     timeline_play(&t, 20);
 *     assert_holds(&t, KA_CLOSED_EARLY, KA_WARN, KA_FAULT_SERVER, close);
 *     timeline_end(&t);
 */
#ifndef TIMELINE_H
#define TIMELINE_H

#include "unit.h"

#include "keptalive.h"

typedef enum side { CLIENT, SERVER } side;
typedef enum viewpoint { AT_CLIENT, AT_MIDDLE, AT_SERVER, VIEWPOINT_COUNT } viewpoint;

/* One way through the network: the client's half and the server's half of 25 ms, by viewpoint. */
#define ONE_WAY_NS (25 * KA_MILLISECOND_NS)

#define KEEP_5 "Connection: keep-alive\nKeep-Alive: timeout=5"
#define CLOSE  "Connection: close"

enum { MARKS_MAX = 4096, CONVERSATIONS_MAX = 64, FINDINGS_MAX = 512, MARK_FIELDS_MAX = 8 };

typedef struct conversation conversation;

/* One segment, and the message that ends with it. Fields may be changed until the timeline is played. */
typedef struct mark {
    conversation *in;
    side from;
    int64_t sent_ns;
    uint8_t flags;
    uint32_t len_bytes;
    uint8_t ttl;               /* as captured */
    bool probe;                /* TCP keepalive: one number back */
    bool uncaptured;           /* sent, but the capture does not hold it */
    int64_t clock_ns;          /* how far the capture's clock is off for it */
    const uint32_t *ack;       /* instead of what had reached the sender */
    struct mark *again;        /* a retransmission of this one */
    struct mark *message_from; /* the message begins there; NULL: no message ends here */
    const char *fields;        /* of the message: "Name: value" lines */
    const char *method;        /* of a request */
    uint16_t status;           /* of a response; 0: a request */
    uint8_t version;
    ka_framing framing;
    struct mark *body_from;  /* the message's body begins there; NULL: it has none */
    const char *head_fields; /* the head of a message is whole here, its end is not; NULL: none is */
    bool origin_form;
    bool stray;         /* an empty line, no message */
    uint8_t tls_type;   /* a TLS record; 0: none */
    uint32_t h2_stream; /* an HTTP/2 frame of that stream */
    uint8_t h2_type, h2_flags;
    bool is_h2;
    uint32_t h2_last_stream; /* of a GOAWAY */
    bool ends;               /* no segment: the ports were reused */
    /* Set when played: */
    uint32_t seq;
    uint32_t ack_number;
    ka_moment at;
} mark;

struct conversation {
    struct timeline *in;
    ka_address ends[2];
    ka_address told_ends[2]; /* the first sender's first */
    uint32_t stream;
    bool mute[2];     /* that side sends no bare ACKs */
    bool unseen[2];   /* that side's segments are not captured */
    double seen_from; /* earlier segments are not captured */
    ka_gate gates;    /* told by the front end */
    ka_protocol protocol;
    bool said_hello; /* a ClientHello that offers `alpn` was captured */
    unsigned alpn;
    ka_connection *handle;
    side first_sender; /* as captured: direction 0 */
};

typedef struct timeline {
    viewpoint seen_from;
    ka_thresholds limits;
    ka_audit *audit;
    mark *marks[MARKS_MAX];
    size_t mark_count;
    conversation *conversations[CONVERSATIONS_MAX];
    size_t conversation_count;
    ka_finding findings[FINDINGS_MAX];
    size_t finding_count;
    ka_record records[CONVERSATIONS_MAX];
    size_t record_count;
} timeline;

/* Every viewpoint in turn, from begin to end. */
#define FROM_EVERYWHERE(t)                                                                                   \
    for (int seen_ = AT_CLIENT; seen_ < VIEWPOINT_COUNT && (timeline_begin(&(t), (viewpoint)seen_), true);   \
         timeline_end(&(t)), seen_++)

void timeline_begin(timeline *t, viewpoint seen_from);
/* Tells the audit everything, lets the capture run to that time, and asks for the report. */
void timeline_play(timeline *t, double until_s);
void timeline_end(timeline *t);

/* A handshake: SYN at that time, established 25 ms later at the server. */
conversation *connect_at(timeline *t, double at_s);
/* The same to another server. */
conversation *connect_to(timeline *t, double at_s, uint8_t server);

mark *request(conversation *c, double at_s, const char *fields);
mark *response(conversation *c, double at_s, const char *fields);
mark *answer(conversation *c, double at_s, uint16_t status, const char *fields);
/* Payload without the end of a message. */
mark *part(conversation *c, side from, double at_s);
/* A response whose first byte was in `first`. */
mark *response_end(conversation *c, double at_s, mark *first, const char *fields);
mark *stray_line(conversation *c, double at_s);
/* One TLS record, or one HTTP/2 frame, in a segment of its own. */
mark *tls_record(conversation *c, side from, double at_s, uint8_t type, uint32_t len_bytes);
mark *h2_frame(conversation *c, side from, double at_s, uint8_t type, uint8_t flags, uint32_t stream);
mark *fin(conversation *c, side from, double at_s);
mark *rst(conversation *c, side from, double at_s);
mark *resend(conversation *c, double at_s, mark *what);
/* A TCP keepalive probe. */
mark *probe(conversation *c, side from, double at_s);
mark *bare_ack(conversation *c, side from, double at_s);
void ports_reused(conversation *c, double at_s);

/* A request and its answer 0.1 s later. */
void exchange(conversation *c, double at_s, const char *request_fields, const char *response_fields);

/* The finding with this id about any connection; NULL: there is none. */
const ka_finding *finding_of(const timeline *t, ka_finding_id id);
const ka_finding *finding_in(const timeline *t, const conversation *c, ka_finding_id id);
const ka_record *record_of(const timeline *t, const conversation *c);
int64_t value_of(const ka_finding *f, const char *name);
bool has_cause(const ka_finding *f, ka_finding_id cause);
uint64_t frame_of(const ka_finding *f, const char *role);

void assert_silent(const timeline *t);
/* These and no others; ends with KA_FINDING_COUNT. */
void assert_only(const timeline *t, ...);
/* It was found, so judged, at that segment, and its sentence is whole. */
const ka_finding *assert_holds(const timeline *t, ka_finding_id id, ka_severity severity, ka_fault fault,
                               const mark *at);
void assert_absent(const timeline *t, ka_finding_id id);
/* Within a millisecond. */
void assert_value(const ka_finding *f, const char *name, double seconds);

#endif
