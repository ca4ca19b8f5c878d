/* endpoint_record.h - what only many connections of one server show, as the output contract tells it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A part of keptalive.h. Durations are KA_NONE where there is no sample. docs/inference.md has the model.
 */
#ifndef KA_ENDPOINT_RECORD_H
#define KA_ENDPOINT_RECORD_H

#include "keptalive.h"

/* What the idle times at which one side closed say of its timer. */
typedef enum ka_timer_kind {
    KA_TIMER_NONE,    /* it closed no idle connection */
    KA_TIMER_FEW,     /* too few to say anything */
    KA_TIMER_FIXED,   /* one timer */
    KA_TIMER_SEVERAL, /* several: backends, sites, clients */
    KA_TIMER_VARIED,  /* none that is fixed: they spread, or longer idle times worked */
} ka_timer_kind;

const char *ka_timer_kind_name(ka_timer_kind kind);

/* Idle times at closes that lie together. */
typedef struct ka_timer_mode {
    uint64_t count;
    int64_t p10_ns, median_ns, p90_ns;
    uint32_t share_permille; /* of all idle periods that nothing else had ended; by Kaplan and Meier */
} ka_timer_mode;

enum { KA_TIMER_MODES_MAX = 4 };

/* The idle timer of one side. */
typedef struct ka_inferred {
    ka_timer_kind kind;
    uint64_t closes;
    uint64_t moments; /* of those, closes that no other one by that side was near to in time */
    uint64_t lasted;  /* idle periods that something else ended: reuse, the other side, the capture */
    int64_t
        longest_worked_ns; /* the bracket: the longest idle time after which the connection still worked */
    int64_t shortest_closed_ns; /* and the shortest after which it was closed */
    bool inverted;              /* the first is above the second, by more than the timer is coarse */
    int64_t p10_ns, median_ns;  /* KA_TIMER_FIXED: of its closes */
    int64_t any_p10_ns,
        any_median_ns; /* from KA_TIMER_FEW's number on: by Kaplan and Meier, of whatever kind */
    uint8_t mode_count;
    ka_timer_mode modes[KA_TIMER_MODES_MAX]; /* ascending */
    const char *hint;                        /* products with such a default; NULL: none is known */
    bool by_site; /* of a server with several sites: not one timer, but what closes there are has one each */
} ka_inferred;

/* The idle timer of one client of the server, for one Host. */
typedef struct ka_client_habit {
    ka_address client; /* port 0 */
    bool of_name;      /* it asked for the server's name; else for some other */
    uint64_t closes;
    int64_t p10_ns,
        median_ns; /* KA_NONE below the least number of closes, or where they are not of one timer */
    int64_t longest_hold_ns; /* the longest it kept a connection idle, whatever ended that */
} ka_client_habit;

/* Those with most idle closes; a longer list is what a capture of that client alone is for. */
enum { KA_CLIENT_HABITS_MAX = 8 };

/* One of several sites of a server. Moments of its timers are those of the whole server's closes. */
typedef struct ka_site_record {
    const char *name; /* as ka_endpoint_record's */
    uint64_t connections;
    uint64_t requests;
    int64_t timeout_s; /* advertised most recently; KA_NONE */
    int64_t max;       /* largest advertised; KA_NONE */
    ka_max_style max_style;
    ka_inferred server_timer;
    ka_inferred client_timer;
    int64_t pool_idle_ns; /* recommended for clients of that site; 0: no reuse; KA_NONE: not known */
} ka_site_record;

/* See KA_SITES_MAX. */
enum { KA_SITE_RECORDS_MAX = 16 };

typedef struct ka_quantiles {
    uint64_t count;
    int64_t median, p95, largest; /* KA_NONE when count is 0 */
} ka_quantiles;

/* A stretch of time at that server. */
typedef struct ka_load_bin {
    uint32_t opened, closed, requests;
    uint32_t open;            /* at its end */
    uint32_t active_permille; /* requests under way, on average */
} ka_load_bin;

enum { KA_LOAD_BINS_MAX = 32 };

typedef struct ka_load {
    int64_t start_ns, width_ns;
    uint32_t bin_count; /* 0: nothing was counted */
    ka_load_bin bins[KA_LOAD_BINS_MAX];
} ka_load;

/* Requests that came close to the server's idle timeout; where its sites have timers of their own, to that of
 * their site, and timeout_ns and from_ns are those of the site that closes first. */
typedef struct ka_exposure {
    int64_t timeout_ns;      /* of the server, inferred, else advertised; KA_NONE: neither */
    int64_t from_ns;         /* a reuse after that is in danger */
    uint64_t gaps;           /* reuses after an idle time */
    uint64_t in_danger;      /* of them, after from_ns */
    uint64_t in_race;        /* within a round trip of the timeout, or beyond */
    int64_t longest_hold_ns; /* by any client */
    bool inverted;           /* clients hold connections as long as the server does, or longer */
} ka_exposure;

typedef struct ka_recommended {
    int64_t pool_idle_ns;      /* for clients and pools; 0: no reuse; KA_NONE: not known */
    int64_t pool_base_ns;      /* the server's timeout that it stays below */
    bool pool_by_advert;       /* that is what the server advertises; else what it does */
    int64_t margin_ns;         /* by so much */
    int64_t rtt_p99_ns;        /* from client to server and back */
    int64_t server_timeout_ns; /* for the server; KA_NONE: no reuse was seen */
    int64_t longest_reuse_ns;  /* which it stays above */
} ka_recommended;

/* Of all closes by one side, and of those by RST. */
typedef struct ka_close_counts {
    uint64_t by_verdict[KA_VERDICT_LATE + 1];
    uint64_t resets;
} ka_close_counts;

struct ka_endpoint_record {
    ka_address server;
    const char *name; /* the Host its clients asked for, escaped by whoever prints it; "" when none */
    uint64_t connections;
    uint64_t requests;
    uint64_t responses;
    int64_t timeout_s; /* advertised most recently; KA_NONE */
    int64_t max;       /* largest advertised; KA_NONE */
    ka_max_style max_style;
    uint64_t idle_closes_by_server;
    uint64_t idle_closes_by_client;
    int64_t idle_median_by_server_ns;
    int64_t idle_median_by_client_ns;
    uint64_t open_at_end;
    uint64_t requests_median;
    uint64_t requests_p95;
    uint64_t requests_max;
    uint64_t concurrency_max;
    ka_inferred server_timer;
    ka_inferred client_timer;    /* of all its clients */
    const ka_site_record *sites; /* in order of appearance; of one alone: none */
    uint32_t site_count;
    ka_client_habit clients[KA_CLIENT_HABITS_MAX];
    uint32_t client_count;  /* of those in `clients` */
    uint64_t clients_known; /* with an idle period worth the name */
    ka_exposure exposure;
    ka_recommended recommended;
    ka_quantiles idle_gaps;      /* before a request, as the server saw it; in ns */
    ka_quantiles ages;           /* of connections seen from their SYN to their close; in ns */
    ka_quantiles first_request;  /* from the SYN on; in ns */
    ka_quantiles requests_whole; /* on connections seen whole */
    ka_quantiles requests_cut;   /* on the others, which had more, or may have */
    uint64_t unused;             /* connections without a request */
    uint64_t opened;             /* with a request, whose SYN was captured */
    int64_t span_ns;             /* of the server's time in the capture */
    ka_close_counts closed_by_server, closed_by_client;
    ka_load load;
};

#endif
