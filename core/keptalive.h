/* keptalive.h - was an HTTP connection kept alive as promised? Facts in, findings out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The core's public header, with basics.h, catalogue.h and proxied.h; explanation.h has the catalogue's long
 * texts only. A front end (the `keptalive` command, the Wireshark plugin) recognises connections and HTTP
 * messages and tells them to an audit as facts; the audit pairs requests with responses, measures idle gaps,
 * judges, and hands records and findings to a sink.
 *
 * Conventions
 *   Time      int64 nanoseconds of capture time. The core reads no clock.
 *   Frame     1-based number over all input as merged.
 *   Sequence  32-bit TCP sequence numbers as on the wire; the core unwraps them.
 *   Memory    all from the allocator handed in. Slices are not NUL-terminated, and read only during the call.
 *   Errors    KA_NO_MEMORY and KA_MISUSE, outputs then untouched; odd traffic is a finding or a failed gate.
 *   Threads   an audit and what it owns belong to one thread.
 */
#ifndef KEPTALIVE_H
#define KEPTALIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "basics.h"
#include "catalogue.h"
#include "proxied.h"

#define KA_SCHEMA "keptalive/1"
/* KA_FINDING_COUNT when there is no such id. */
ka_finding_id ka_finding_by_name(ka_slice name);

/* ---- Facts ---------------------------------------------------------------------------------- */

typedef struct ka_audit ka_audit;
typedef struct ka_connection ka_connection;

enum { KA_FIN = 0x01, KA_SYN = 0x02, KA_RST = 0x04, KA_PSH = 0x08, KA_ACK = 0x10, KA_URG = 0x20 };

/* One TCP segment: header only, told for every segment of a connection before its messages.
 * direction 0 is the sender of the connection's first packet. */
typedef struct ka_segment {
    int64_t time_ns;
    uint64_t frame;
    uint32_t seq;
    uint32_t ack;            /* meaningless without KA_ACK */
    uint32_t len_bytes;      /* payload by the IP header */
    uint32_t captured_bytes; /* of those, how many the capture holds */
    uint16_t window;         /* as on the wire, unscaled */
    uint16_t mss;            /* of a SYN; 0: not told */
    uint8_t window_scale;    /* of a SYN: one more than its window scale (RFC 7323 section 2.2); 0: none */
    uint16_t ip_id;          /* 0 for IPv6 */
    uint16_t interface;
    uint8_t flags;
    uint8_t ttl;
    uint8_t direction;
} ka_segment;

typedef enum ka_field_name {
    KA_FIELD_CONNECTION,
    KA_FIELD_KEEP_ALIVE,
    KA_FIELD_PROXY_CONNECTION,
    KA_FIELD_EXPECT,
    KA_FIELD_UPGRADE,
    KA_FIELD_HOST,
    KA_FIELD_CONTENT_TYPE,
    KA_FIELD_VIA,
    KA_FIELD_SERVER,
    KA_FIELD_AUTHENTICATE, /* WWW-Authenticate, Authorization and their Proxy- forms */
    KA_FIELD_REQUEST_ID,   /* X-Request-Id, Request-Id, traceparent */
    KA_FIELD_COUNT
} ka_field_name;

/* One header line, value without surrounding white space. Several lines of one name stay several. */
typedef struct ka_field {
    ka_field_name name;
    ka_slice value;
} ka_field;

/* Which of them a header line's name is, in any case; KA_FIELD_COUNT: none, the core does not want it. */
ka_field_name ka_field_by_name(ka_slice name);

/* RFC 9112 section 6.3: how the end of the body is known. */
typedef enum ka_framing {
    KA_FRAMING_NONE,        /* no body: HEAD, 1xx, 204, 304, or a request without one */
    KA_FRAMING_LENGTH,      /* Content-Length */
    KA_FRAMING_CHUNKED,     /* Transfer-Encoding: chunked, trailers included */
    KA_FRAMING_UNTIL_CLOSE, /* the response ends with the server's FIN */
    KA_FRAMING_TUNNEL,      /* 101, or 2xx to CONNECT: no HTTP follows */
} ka_framing;

/* One complete message. Told in byte order within a direction, any number of frames late. Behind a 2xx to
 * CONNECT messages, records and frames are those of what is inside. */
typedef struct ka_message {
    uint8_t direction;
    bool is_response;
    uint8_t version;  /* major * 10 + minor: 10, 11 */
    uint16_t status;  /* of a response */
    ka_slice method;  /* of a request */
    ka_slice target;  /* of a request, as in its first line (RFC 9112 section 3.2) */
    bool origin_form; /* of a request: its target is a path (RFC 9112 section 3.2.1), as an origin gets it */
    ka_framing framing;
    uint64_t body_bytes;
    uint32_t seq;       /* of its first byte */
    uint64_t len_bytes; /* head and body as on the wire */
    uint32_t ack;       /* ACK number of the segment with its first byte */
    ka_moment first;    /* capture of its first byte, first transmission */
    ka_moment last;     /* capture of its last byte; the FIN for KA_FRAMING_UNTIL_CLOSE */
    ka_moment body;     /* capture of its body's first byte; frame 0: it has none */
    const ka_field *fields;
    size_t field_count;
} ka_message;

typedef enum ka_protocol {
    KA_PROTOCOL_NONE, /* no payload seen */
    KA_PROTOCOL_HTTP, /* http/1.0 or http/1.1, by the first request */
    KA_PROTOCOL_H2C,
    KA_PROTOCOL_H2,
    KA_PROTOCOL_TLS,
    KA_PROTOCOL_OTHER,
} ka_protocol;

/* Bytes that are no message: an empty line between requests (RFC 9112 section 2.2), or one TLS record. */
typedef struct ka_bytes {
    uint8_t direction;
    uint8_t tls_type; /* record content type: 20 to 23; 0 for a stray line */
    uint32_t seq;
    uint64_t len_bytes; /* TLS: of the whole record with its header */
    ka_moment first;
    ka_moment last;
} ka_bytes;

/* One HTTP/2 frame (RFC 9113 section 4.1). */
typedef struct ka_h2_frame {
    uint8_t direction;
    uint8_t type, flags; /* as on the wire */
    uint32_t stream_id;
    uint32_t last_stream; /* of a GOAWAY */
    uint32_t seq;
    uint64_t len_bytes; /* with its header of 9 */
    ka_moment first, last;
} ka_h2_frame;

/* What a proxy says of a connection it opened, before the first byte of HTTP or TLS (PROXY protocol, both
 * versions). */
typedef struct ka_preamble {
    uint32_t len_bytes; /* all of it; what is behind the addresses may be passed over unread */
    ka_address client;  /* the real one; version 0: none is told, as of a health check */
} ka_preamble;

typedef enum ka_preamble_status {
    KA_PREAMBLE_NONE,
    KA_PREAMBLE_MORE, /* as far as the bytes go, it may become one */
    KA_PREAMBLE_WHOLE,
} ka_preamble_status;

/* With so many bytes it is decided: a line of version 1 with its CR LF (section 2.1); addresses of version 2
 * take less. */
enum { KA_PREAMBLE_BYTES_MAX = 107 };
/* The first bytes of a direction; there is at least one. *out is set for KA_PREAMBLE_WHOLE. */
ka_preamble_status ka_preamble_read(ka_slice bytes, ka_preamble *out);

/* ---- Results -------------------------------------------------------------------------------- */

typedef enum ka_side { KA_SIDE_NONE, KA_SIDE_CLIENT, KA_SIDE_SERVER } ka_side;
typedef enum ka_how { KA_HOW_NONE, KA_HOW_FIN, KA_HOW_RST } ka_how;
typedef enum ka_max_style { KA_MAX_NONE, KA_MAX_UNKNOWN, KA_MAX_COUNT_DOWN, KA_MAX_FIXED } ka_max_style;

typedef enum ka_verdict {
    KA_VERDICT_OPEN,         /* nobody closed */
    KA_VERDICT_BUSY,         /* a request was outstanding, as the closer knew */
    KA_VERDICT_ANNOUNCED,    /* after Connection: close, or GOAWAY */
    KA_VERDICT_UNUSED,       /* no exchange was complete */
    KA_VERDICT_UNADVERTISED, /* no timeout to compare with */
    KA_VERDICT_EARLY,
    KA_VERDICT_PUNCTUAL,
    KA_VERDICT_LATE,
} ka_verdict;

/* What HTTP gave way to. */
typedef enum ka_tunnel {
    KA_TUNNEL_NONE,
    KA_TUNNEL_CONNECT, /* 2xx to CONNECT; what is inside goes on being told, where it is understood */
    KA_TUNNEL_UPGRADE, /* 101, but to HTTP/2: a WebSocket */
} ka_tunnel;

const char *ka_verdict_name(ka_verdict verdict);
const char *ka_side_name(ka_side side);
const char *ka_how_name(ka_how how);
const char *ka_tunnel_name(ka_tunnel tunnel);
const char *ka_max_style_name(ka_max_style style);

/* One named number of a finding. */
typedef struct ka_value {
    const char *name;
    int64_t number;
    ka_unit unit;
} ka_value;

/* One deciding frame of a finding. */
typedef struct ka_evidence {
    const char *role; /* "response_end", "advert", "request", "fin", "rst", "ack", ... */
    ka_moment at;
} ka_evidence;

enum { KA_VALUES_MAX = 16, KA_EVIDENCE_MAX = 8, KA_CAUSES_MAX = 4 };

typedef struct ka_finding {
    ka_finding_id id;
    ka_severity severity;  /* after the gates */
    ka_fault fault;        /* the catalogue's, or the side that sent the message */
    uint32_t failed_gates; /* those that lowered it */
    bool has_stream;       /* else it is about `server` as a whole, or about what `client` does there */
    uint32_t stream;
    bool has_pair;     /* it is about two connections: `stream`, client and server are the downstream one's */
    ka_address client; /* without a stream: port 0, and version 0 when it is about no client */
    ka_address server;
    ka_pair_end upstream;
    ka_address proxied_for; /* as in the connection's record */
    ka_moment at;
    ka_evidence frames[KA_EVIDENCE_MAX];
    ka_value values[KA_VALUES_MAX]; /* "count" among them: one finding per id and connection */
    ka_finding_id causes[KA_CAUSES_MAX];
    uint8_t frame_count;
    uint8_t value_count;
    uint8_t cause_count;
    char detail[48]; /* text from the packets, raw bytes: an offending value, a method */
    uint8_t detail_bytes;
} ka_finding;

/* One connection as the output contract tells it. */
typedef struct ka_record {
    uint32_t stream;
    const char *protocol; /* "http/1.1", "http/1.0", "h2c", "h2", "tls", "other", "none" */
    ka_tunnel tunnel; /* inside of one opened by CONNECT, protocol and all else is that of what is inside */
    ka_address client;
    ka_address server;
    ka_address proxied_for; /* the real client, by a PROXY preamble; version 0: none was told */
    ka_moment first;
    ka_moment last;
    uint64_t requests;  /* first byte seen, answered or not */
    uint64_t responses; /* complete final ones; 1xx not counted */
    int64_t timeout_s;  /* of the latest complete final response; KA_NONE */
    int64_t max;        /* of the first complete final response; KA_NONE */
    ka_max_style max_style;
    uint64_t idle_count;
    int64_t idle_longest_ns;
    int64_t idle_total_ns;
    struct {
        ka_side by;
        ka_how how;
        ka_moment at;
        int64_t idle_ns; /* KA_NONE: no exchange, or a request outstanding */
        ka_verdict verdict;
    } close;
    struct { /* HTTP/2: the first GOAWAY of either side */
        ka_side by;
        uint32_t last_stream;
        ka_moment at; /* frame 0: none */
    } goaway;
    uint32_t failed_gates;
    uint64_t retransmissions;
    uint64_t missed_bytes;
    int64_t rtt_client_ns;     /* capture point to client and back; KA_NONE: not measured */
    int64_t rtt_server_ns;     /* capture point to server and back; KA_NONE: not measured */
    const char *encapsulation; /* what its packets were wrapped in, from the outside in; NULL: nothing, or not
                                  told; printable ASCII */
    uint64_t finding_mask[(KA_FINDING_COUNT + 63) / 64];
    uint8_t finding_severity[KA_FINDING_COUNT]; /* ka_severity of each in the mask, after the gates */
} ka_record;

/* One request with its response, told when the response is complete or the connection settles. */
typedef struct ka_exchange_record {
    uint32_t stream;
    uint64_t number;   /* 1-based on its connection */
    ka_moment request; /* first byte; frame 0: a response without a request */
    ka_moment request_end;
    ka_moment response; /* first byte; frame 0: unanswered */
    ka_moment response_end;
    char method[16];        /* cut and NUL-terminated; raw bytes from the packet */
    uint16_t status;        /* 0: unanswered */
    int64_t idle_before_ns; /* KA_NONE: first of its connection, or pipelined */
    int64_t timeout_s;      /* as advertised by this response; KA_NONE */
    int64_t max;            /* likewise */
} ka_exchange_record;

/* A gap without anything outstanding that a request ended: HTTP/1, HTTP/2, and TLS by its timing. */
typedef struct ka_gap_record {
    uint32_t stream;
    ka_address server;
    uint64_t number; /* of that request on its connection; of TLS, of bursts that look like requests */
    int64_t idle_ns; /* plain capture time; also where the server had closed meanwhile */
    int64_t end_ns;  /* of the gap: the request's first byte */
} ka_gap_record;

/* What only many connections of one server show: endpoint_record.h, included below. */
typedef struct ka_endpoint_record ka_endpoint_record;

/* Where results go. Any callback may be NULL. What a callback is given lives until it returns. */
typedef struct ka_sink {
    void *user;
    void (*connection)(void *user, const ka_record *record);
    void (*finding)(void *user, const ka_finding *finding);
    void (*exchange)(void *user, const ka_exchange_record *exchange);
    void (*endpoint)(void *user, const ka_endpoint_record *endpoint);
    void (*pair)(void *user, const ka_pair_record *pair);
    void (*link)(void *user, const ka_link_record *link);
} ka_sink;

/* ---- The audit ------------------------------------------------------------------------------ */

typedef struct ka_config {
    ka_thresholds thresholds;
    ka_allocator allocator;
    /* Of the statistics of servers and clients, which only grow: what this one refuses is left out of them,
     * and counted. Without a function it is `allocator`, and all is needed. */
    ka_allocator ledgers;
    ka_sink sink;
    /* Told, with the owner given to ka_connection_open, just before a settled connection's memory goes back
     * and its handle becomes invalid. May be NULL. */
    void (*settled)(void *user, void *owner);
    void *settled_user;
    /* The record's encapsulation, asked with the owner when it is told; the text must live until the next
     * question. May be NULL. */
    const char *(*encapsulation)(void *user, void *owner);
    void *encapsulation_user;
    /* A finding as a message showed it, while its connection is open, for who cannot wait until it settles:
     * the sink gets it again then, perhaps counted further or graver. With settled_user; may be NULL. */
    void (*noted)(void *user, const ka_finding *finding);
    /* Addresses of one proxy, by the user's word (ports do not count): copied. Others are found where a
     * server's address is a client's, too. */
    const ka_address *proxy_addresses;
    size_t proxy_address_count;
    /* There are several inputs: their clocks may disagree. Found by itself where there are several
     * interfaces. */
    bool several_clocks;
    /* Every idle gap as its request ends it, so before the connection's record. May be NULL. */
    void (*gap)(void *user, const ka_gap_record *gap);
    void *gap_user;
    /* Of the hash tables: secret, against captures made to collide. Results never depend on it. */
    uint64_t hash_seed;
} ka_config;

/* Copies the configuration. */
ka_status ka_audit_new(const ka_config *config, ka_audit **out);
void ka_audit_free(ka_audit *audit);

/* The coarsest time stamp resolution among the inputs (default 1 us): early means two ticks at least. */
void ka_audit_resolution(ka_audit *audit, int64_t tick_ns);

/* Servers beyond the limit of those whose statistics are kept (KA_ENDPOINTS_MAX), counted by connection. */
uint64_t ka_audit_servers_left_out(const ka_audit *audit);
/* Likewise of clients, each at one server (KA_CLIENTS_MAX). */
uint64_t ka_audit_clients_left_out(const ka_audit *audit);
/* Observations left out of those statistics, because their memory was full. */
uint64_t ka_audit_observations_left_out(const ka_audit *audit);
/* Requests through a proxy that its pairs do not count, or that were forgotten before they were judged
 * (KA_PAIRS_MAX, KA_LEGS_MAX). */
uint64_t ka_audit_pairs_left_out(const ka_audit *audit);

/* A new connection; ends[0] sent its first packet. `stream` ascends. The core owns the handle; `ends` stays
 * the caller's, unchanged until the connection has settled. */
ka_status ka_connection_open(ka_audit *audit, uint32_t stream, const ka_address ends[2], void *owner,
                             ka_connection **out);

/* Brings a connection's memory near before its facts are told: with many thousands open at once most of a
 * segment's time is waiting for it. Step 0 is the connection, step 1, when that has arrived, what hangs on
 * it. Changes nothing. */
void ka_connection_prefetch(const ka_connection *connection, unsigned step);

/* Facts of one connection, in capture order. Any of these may settle *other* connections first (time has
 * passed); never the one named. After a connection has settled its handle must not be used. */
ka_status ka_segment_seen(ka_audit *audit, ka_connection *connection, const ka_segment *segment);
ka_status ka_message_seen(ka_audit *audit, ka_connection *connection, const ka_message *message);
/* Whether one side reset the connection: an RST that its receiver must ignore does not count. */
bool ka_connection_was_reset(const ka_connection *connection);
/* The head of a message whose end is not seen yet: needed only for a response's body without a length, which
 * may be an event stream that never ends, for a request with Expect, whose body may never come, and for the
 * first message of a connection whose SYN was not seen, by which its client is known. Read are
 * direction, is_response, version, framing and fields; of a request seq and len_bytes, those of its head. */
void ka_head_seen(ka_connection *connection, const ka_message *head);
ka_status ka_stray_seen(ka_audit *audit, ka_connection *connection, const ka_bytes *stray);
/* A PROXY preamble: no part of any request. `client` as it names it (version 0: nobody); the first one
 * counts.
 */
ka_status ka_preamble_seen(ka_audit *audit, ka_connection *connection, const ka_bytes *preamble,
                           const ka_address *client);
/* For TLS nobody can read. Once ka_message_seen tells what is inside, records must be told no more; those
 * that carry no message are then told as strays, with their type. */
ka_status ka_tls_record_seen(ka_audit *audit, ka_connection *connection, const ka_bytes *record);
enum { KA_ALPN_HTTP1 = 1, KA_ALPN_H2 = 2, KA_ALPN_OTHER = 4 }; /* what a TLS hello names (RFC 7301) */
/* The bits of a ClientHello (else ServerHello); 0: it has none. */
ka_status ka_tls_alpn_seen(ka_audit *audit, ka_connection *connection, bool by_client, unsigned alpn);
/* The server name of a whole ClientHello in one record, told behind that record (RFC 6066 section 3: its
 * first entry, of type host_name); of a longer one only so many bytes are needed. Behind a CONNECT it is not
 * the server's. */
enum { KA_SERVER_NAME_BYTES_MAX = 63 };
ka_status ka_tls_name_seen(ka_audit *audit, ka_connection *connection, unsigned direction, ka_slice name);
void ka_protocol_seen(ka_connection *connection, ka_protocol protocol);
/* HTTP/2, once its protocol is told; after a 101, stream 1 asked for it. No messages follow. */
ka_status ka_h2_frame_seen(ka_audit *audit, ka_connection *connection, const ka_h2_frame *frame);
/* The name of any field of a header block, where the front end can read it: HTTP/2 forbids some. */
ka_status ka_h2_field_seen(ka_audit *audit, ka_connection *connection, unsigned direction, ka_slice name,
                           ka_moment at);
/* A gate only the front end can know to have failed (KA_GATE_UNFRAMED, KA_GATE_LOST_STATE, ...). */
void ka_gate_failed(ka_connection *connection, ka_gate gate);

/* Its ports were reused, or the front end had to drop it: judged now with what is known. */
ka_status ka_connection_end(ka_audit *audit, ka_connection *connection, ka_gate why);

/* No packet came until then, as who captures can tell: connections whose time has come settle. */
ka_status ka_time_passed(ka_audit *audit, int64_t time_ns);

/* Where a connection stands: what holds for its newest request, and what its latest response promised. */
typedef struct ka_standing {
    uint64_t request_number; /* of the newest request; 0: none yet */
    int64_t idle_before_ns;  /* of the newest request, when it is outstanding; KA_NONE */
    int64_t timeout_s;       /* advertised by the latest complete final response; KA_NONE */
    int64_t max;             /* likewise */
    int64_t remaining;       /* requests the server still takes, by its max; KA_NONE: not told */
    int64_t deadline_ns;     /* end of the latest response + timeout; KA_NONE */
    bool counts; /* its Keep-Alive came with the option in Connection, and close did not overrule it */
} ka_standing;

void ka_connection_standing(const ka_connection *connection, ka_standing *out);

/* The end of the capture, as a question: judges every open connection as of the last segment and tells the
 * sink their records, then all endpoints, then all pairs. Changes nothing, so it can be asked again later. */
ka_status ka_audit_report(const ka_audit *audit, const ka_sink *sink);

/* ---- Records (record.c): the output contract, one JSON object a line ------------------------ */

typedef struct ka_writer {
    void *user;
    /* Returns false when the bytes could not be written; nothing more is written then. */
    bool (*write)(void *user, const char *bytes, size_t len_bytes);
    /* With several input files: the file of a frame and its number there; NULL or false: not told. */
    bool (*locate)(void *user, uint64_t frame, const char **file, uint64_t *file_frame);
    /* Where documents of several captures follow each other: the file every record is of; NULL: not told. */
    const char *file;
} ka_writer;

bool ka_write_connection(const ka_writer *writer, const ka_record *record);
bool ka_write_finding(const ka_writer *writer, const ka_finding *finding);
bool ka_write_exchange(const ka_writer *writer, const ka_exchange_record *exchange);
bool ka_write_endpoint(const ka_writer *writer, const ka_endpoint_record *endpoint);
bool ka_write_pair(const ka_writer *writer, const ka_pair_record *pair);

/* The finding's message: its catalogue sentence with the numbers, then, when gates failed, why it is
 * uncertain. Cut to size and NUL-terminated; text from packets in it is escaped (\xHH, printable ASCII
 * only). Returns the length written. */
size_t ka_sentence(const ka_finding *finding, char *out, size_t size);

/* "192.0.2.1" or "2001:db8::1"; out holds KA_IP_TEXT_BYTES. */
enum { KA_IP_TEXT_BYTES = 46 };
void ka_ip_text(const ka_address *address, char out[KA_IP_TEXT_BYTES]);
/* Seconds with the given number of decimals (0 to 9), rounded half away from zero. */
size_t ka_seconds_text(int64_t duration_ns, unsigned decimals, char *out, size_t size);

#include "endpoint_record.h"

#endif
