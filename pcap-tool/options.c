/* options.c - the command line: argv in, settings out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "options.h"

#include "memory.h"
#include "nearest.h"
#include "number.h"
#include "report/escape.h"
#include "what_if_options.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    THRESHOLD_COUNT = 0
#define KA_THRESHOLD(field, option, value, unit, reason) +1
#include "thresholds.def"
#undef KA_THRESHOLD
};

/* --ring: a gigabyte in all. */
enum { RING_FILE_BYTES = 100 << 20, RING_FILES = 10 };

enum {
    CODE_FORMAT = 256, /* above every letter */
    CODE_FILTER,
    CODE_DURATION,
    CODE_USER,
    CODE_RING,
    CODE_RING_SIZE,
    CODE_RING_FILES,
    CODE_NO_SANDBOX,
    CODE_NO_PROGRESS,
    CODE_CONNECTIONS,
    CODE_EXCHANGES,
    CODE_SERVERS,
    CODE_FAIL_ON,
    CODE_MIN_SEVERITY,
    CODE_ONLY,
    CODE_IGNORE,
    CODE_SET,
    CODE_COLOR,
    CODE_EACH,
    CODE_JOBS,
    CODE_MEMORY,
    CODE_PROXY,
    CODE_THRESHOLD,                                  /* and the row's index */
    CODE_WHAT_IF = CODE_THRESHOLD + THRESHOLD_COUNT, /* and a what_if_option */
};

static const struct option plain_options[] = {
    {"format", required_argument, NULL, CODE_FORMAT},
    {"filter", required_argument, NULL, CODE_FILTER},
    {"proxy", required_argument, NULL, CODE_PROXY},
    {"recursive", no_argument, NULL, 'r'},
    {"each", no_argument, NULL, CODE_EACH},
    {"jobs", required_argument, NULL, CODE_JOBS},
    {"memory", required_argument, NULL, CODE_MEMORY},
    {"connections", no_argument, NULL, CODE_CONNECTIONS},
    {"exchanges", no_argument, NULL, CODE_EXCHANGES},
    {"servers", no_argument, NULL, CODE_SERVERS},
    {"fail-on", required_argument, NULL, CODE_FAIL_ON},
    {"only", required_argument, NULL, CODE_ONLY},
    {"ignore", required_argument, NULL, CODE_IGNORE},
    {"min-severity", required_argument, NULL, CODE_MIN_SEVERITY},
    {"set", required_argument, NULL, CODE_SET},
    {"output", required_argument, NULL, 'o'},
    {"color", required_argument, NULL, CODE_COLOR},
    {"interface", required_argument, NULL, 'i'},
    {"duration", required_argument, NULL, CODE_DURATION},
    {"user", required_argument, NULL, CODE_USER},
    {"ring", required_argument, NULL, CODE_RING},
    {"ring-size", required_argument, NULL, CODE_RING_SIZE},
    {"ring-files", required_argument, NULL, CODE_RING_FILES},
    {"no-sandbox", no_argument, NULL, CODE_NO_SANDBOX},
    {"no-progress", no_argument, NULL, CODE_NO_PROGRESS},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
};
enum {
    PLAIN_COUNT = sizeof plain_options / sizeof plain_options[0],
    TABLE_COUNT = PLAIN_COUNT + THRESHOLD_COUNT + WHAT_IF_OPTIONS + 1
};

/* Words an option takes, in the order of the enum they stand for. */
static const char *const format_words[] = {"text", "ndjson", NULL};
static const char *const color_words[] = {"auto", "always", "never", NULL};
static const char *const severity_words[] = {"chat", "note", "warn", "error", NULL};

static void table_of_options(struct option table[TABLE_COUNT], bool what_if)
{
    memset(table, 0, TABLE_COUNT * sizeof table[0]);
    memcpy(table, plain_options, sizeof plain_options);
    size_t count;
    const ka_threshold_row *rows = ka_threshold_rows(&count);
    for (int i = 0; i < THRESHOLD_COUNT; i++)
        table[PLAIN_COUNT + i] = (struct option){rows[i].option, required_argument, NULL, CODE_THRESHOLD + i};
    for (int i = 0; what_if && i < WHAT_IF_OPTIONS; i++)
        table[PLAIN_COUNT + THRESHOLD_COUNT + i] = (struct option){what_if_option_name((what_if_option)i),
                                                                   required_argument, NULL, CODE_WHAT_IF + i};
}

__attribute__((format(printf, 2, 3))) static options_status wrong(char error[OPTIONS_ERROR_BYTES],
                                                                  const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(error, OPTIONS_ERROR_BYTES, format, arguments);
    va_end(arguments);
    if (length < 0 || length >= OPTIONS_ERROR_BYTES)
        length = OPTIONS_ERROR_BYTES - 1;
    snprintf(error + length, OPTIONS_ERROR_BYTES - (size_t)length, "; try keptalive --help");
    return OPTIONS_WRONG;
}

/* What the user typed, on one line and short enough to leave room for the rest of the message. */
typedef struct typed {
    char text[64];
} typed;

static typed slice_as_typed(ka_slice argument)
{
    typed out;
    escape_text(argument.bytes, argument.len_bytes, out.text, sizeof out.text);
    return out;
}

static typed as_typed(const char *argument)
{
    return slice_as_typed((ka_slice){argument, strlen(argument)});
}

/* The index of the word; -1, and the error, when it is none of them. */
static int word_index(const char *option, const char *value, const char *const *words, char *error)
{
    char list[64] = "";
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], value) == 0)
            return i;
        size_t length = strlen(list);
        snprintf(list + length, sizeof list - length, "%s%s", i == 0 ? "" : ", ", words[i]);
    }
    wrong(error, "%s: \"%s\" is none of %s", option, as_typed(value).text, list);
    return -1;
}

static options_status set_threshold(options *out, const ka_threshold_row *row, const char *value, char *error)
{
    const char *fault =
        number_parse(value, row->unit, (int64_t *)(void *)((char *)&out->thresholds + row->offset));
    if (fault)
        return wrong(error, "--%s: \"%s\" %s", row->option, as_typed(value).text, fault);
    return OPTIONS_RUN;
}

static options_status set_what_if(options *out, what_if_option option, char *error)
{
    const char *fault = what_if_option_set(&out->what_if, option, optarg);
    if (fault)
        return wrong(error, "--%s: \"%s\" %s", what_if_option_name(option), as_typed(optarg).text, fault);
    return OPTIONS_RUN;
}

/* --set NAME=VALUE */
static options_status set_by_name(options *out, char *error)
{
    const char *equals = strchr(optarg, '=');
    if (!equals)
        return wrong(error, "--set: \"%s\" is not NAME=VALUE", as_typed(optarg).text);
    ka_slice name = {optarg, (size_t)(equals - optarg)};
    size_t count;
    const ka_threshold_row *rows = ka_threshold_rows(&count);
    for (size_t i = 0; i < count; i++) {
        if (strlen(rows[i].option) == name.len_bytes && memcmp(rows[i].option, optarg, name.len_bytes) == 0)
            return set_threshold(out, &rows[i], equals + 1, error);
    }
    char hint[NEAREST_BYTES];
    nearest(name, nearest_threshold, count, hint);
    return wrong(error, "--set: \"%s\" is no threshold%s", slice_as_typed(name).text, hint);
}

static options_status unknown_finding(const char *where, ka_slice name, char *error)
{
    char hint[NEAREST_BYTES];
    nearest(name, nearest_finding, KA_FINDING_COUNT, hint);
    snprintf(error, OPTIONS_ERROR_BYTES, "%s: \"%s\" is no finding%s; keptalive explain lists them", where,
             slice_as_typed(name).text, hint);
    return OPTIONS_WRONG;
}

/* ID[,ID]... */
static options_status select_findings(options *out, int code, char *error)
{
    const char *at = optarg;
    for (bool more = true; more; at++) {
        ka_slice name = {at, strcspn(at, ",")};
        ka_finding_id id = ka_finding_by_name(name);
        if (id == KA_FINDING_COUNT)
            return unknown_finding(code == CODE_ONLY ? "--only" : "--ignore", name, error);
        if (code == CODE_ONLY)
            selection_only(&out->selection, id);
        else
            selection_ignore(&out->selection, id);
        at += name.len_bytes;
        more = *at == ',';
    }
    return OPTIONS_RUN;
}

static bool read_address(ka_slice text, ka_address *out)
{
    char name[INET6_ADDRSTRLEN];
    *out = (ka_address){{0}, 0, 4};
    if (text.len_bytes >= sizeof name)
        return false;
    memcpy(name, text.bytes, text.len_bytes);
    name[text.len_bytes] = '\0';
    if (inet_pton(AF_INET, name, out->ip) == 1)
        return true;
    out->version = 6;
    return inet_pton(AF_INET6, name, out->ip) == 1;
}

/* ADDRESS[,ADDRESS]... */
static options_status set_proxy(options *out, char *error)
{
    const char *at = optarg;
    for (bool more = true; more; at++) {
        ka_slice text = {at, strcspn(at, ",")};
        if (out->proxy_count == OPTIONS_PROXY_MAX)
            return wrong(error, "--proxy: more than %d addresses", OPTIONS_PROXY_MAX);
        if (!read_address(text, &out->proxy[out->proxy_count++]))
            return wrong(error, "--proxy: \"%s\" is no IP address", slice_as_typed(text).text);
        at += text.len_bytes;
        more = *at == ',';
    }
    return OPTIONS_RUN;
}

/* getopt_long's '?': an unknown option, an ambiguous abbreviation, or a value where none belongs. */
static options_status not_understood(char **argv, char *error)
{
    const char *argument = argv[optind - 1];
    if (strncmp(argument, "--", 2) != 0)
        return wrong(error, "-%s: no such option", as_typed((char[]){(char)optopt, '\0'}).text);
    if (optopt != 0)
        return wrong(error, "%s: the option takes no value", as_typed(argument).text);
    return wrong(error, "%s: no such option, or an ambiguous abbreviation", as_typed(argument).text);
}

static options_status set_word(options *out, int code, char *error)
{
    int index;
    if (code == CODE_FORMAT) {
        if ((index = word_index("--format", optarg, format_words, error)) < 0)
            return OPTIONS_WRONG;
        out->format = (options_format)index;
    } else if (code == CODE_COLOR) {
        if ((index = word_index("--color", optarg, color_words, error)) < 0)
            return OPTIONS_WRONG;
        out->color = (options_color)index;
    } else if (code == CODE_MIN_SEVERITY) {
        if ((index = word_index("--min-severity", optarg, severity_words, error)) < 0)
            return OPTIONS_WRONG;
        out->selection.least = (ka_severity)index;
    } else {
        if ((index = word_index("--fail-on", optarg, severity_words, error)) < 0)
            return OPTIONS_WRONG;
        out->has_fail_on = true;
        out->fail_on = (ka_severity)index;
    }
    return OPTIONS_RUN;
}

static options_status set_amount(options *out, bool jobs, char *error)
{
    int64_t value;
    const char *fault =
        jobs ? number_parse(optarg, KA_COUNT, &value) : number_parse_size(optarg, MEMORY_LEAST_BYTES, &value);
    if (!fault && jobs && value > OPTIONS_JOBS_MAX)
        fault = "is out of range";
    if (fault)
        return wrong(error, "--%s: \"%s\" %s", jobs ? "jobs" : "memory", as_typed(optarg).text, fault);
    if (jobs)
        out->jobs = (unsigned)value;
    else
        out->memory_bytes = (uint64_t)value;
    return OPTIONS_RUN;
}

static options_status add_interface(options_live *live, char *error)
{
    if (live->interface_count == CAPTURE_INTERFACES_MAX)
        return wrong(error, "--interface: more than %d are too many", (int)CAPTURE_INTERFACES_MAX);
    live->interfaces[live->interface_count++] = optarg;
    return OPTIONS_RUN;
}

/* What --interface needs besides. */
static options_status set_live(options_live *live, int code, char *error)
{
    const char *fault = NULL;
    if (code == 'i')
        return add_interface(live, error);
    if (code == CODE_USER)
        live->user = optarg;
    else if (code == CODE_RING)
        live->ring = optarg;
    else if (code == CODE_DURATION)
        fault = number_parse(optarg, KA_NS, &live->duration_ns);
    else if (code == CODE_RING_SIZE)
        fault = number_parse_size(optarg, CAPTURE_RING_BYTES_MIN, &live->ring_file_bytes);
    else
        fault = number_parse(optarg, KA_COUNT, &live->ring_files);
    if (!fault && code == CODE_DURATION && live->duration_ns == 0)
        fault = "is no time at all";
    if (!fault && code == CODE_RING_FILES &&
        (live->ring_files < 2 || live->ring_files > CAPTURE_RING_FILES_MAX))
        fault = "is out of range (2 to 1000)";
    static const char *const names[] = {"duration", "user", "ring", "ring-size", "ring-files"};
    return fault ? wrong(error, "--%s: \"%s\" %s", names[code - CODE_DURATION], as_typed(optarg).text, fault)
                 : OPTIONS_RUN;
}

static options_status set_option(options *out, int code, char **argv, char *error)
{
    switch (code) {
    case 'h':
        return OPTIONS_HELP;
    case 'V':
        return OPTIONS_VERSION;
    case 'o':
        out->output = optarg;
        return OPTIONS_RUN;
    case 'r':
        out->recursive = true;
        return OPTIONS_RUN;
    case CODE_EACH:
        out->each = true;
        return OPTIONS_RUN;
    case CODE_JOBS:
    case CODE_MEMORY:
        return set_amount(out, code == CODE_JOBS, error);
    case CODE_FILTER:
        out->filter = optarg;
        return OPTIONS_RUN;
    case CODE_CONNECTIONS:
        out->connections = true;
        return OPTIONS_RUN;
    case CODE_EXCHANGES:
        out->exchanges = true;
        return OPTIONS_RUN;
    case CODE_SERVERS:
        out->servers = true;
        return OPTIONS_RUN;
    case 'i':
    case CODE_DURATION:
    case CODE_USER:
    case CODE_RING:
    case CODE_RING_SIZE:
    case CODE_RING_FILES:
        return set_live(&out->live, code, error);
    case CODE_NO_SANDBOX:
        out->no_sandbox = true;
        return OPTIONS_RUN;
    case CODE_NO_PROGRESS:
        out->no_progress = true;
        return OPTIONS_RUN;
    case CODE_FORMAT:
    case CODE_COLOR:
    case CODE_FAIL_ON:
    case CODE_MIN_SEVERITY:
        return set_word(out, code, error);
    case CODE_ONLY:
    case CODE_IGNORE:
        return select_findings(out, code, error);
    case CODE_PROXY:
        return set_proxy(out, error);
    case CODE_SET:
        return set_by_name(out, error);
    case ':':
        return wrong(error, "%s: the option needs a value", as_typed(argv[optind - 1]).text);
    case '?':
        return not_understood(argv, error);
    default:;
        size_t count;
        if (code >= CODE_WHAT_IF)
            return set_what_if(out, (what_if_option)(code - CODE_WHAT_IF), error);
        return set_threshold(out, ka_threshold_rows(&count) + (code - CODE_THRESHOLD), optarg, error);
    }
}

static options_status check_live(const options *out, char *error)
{
    const options_live *live = &out->live;
    if (out->path_count > 0)
        return wrong(error, "%s: files and --interface do not go together", as_typed(out->paths[0]).text);
    if (!live->ring && (live->ring_file_bytes != RING_FILE_BYTES || live->ring_files != RING_FILES))
        return wrong(error, "--ring-size and --ring-files say nothing without --ring");
    return OPTIONS_RUN;
}

static options_status check_paths(const options *out, char *error)
{
    if (out->jobs > 0 && !out->each)
        return wrong(error, "--jobs: only with --each");
    if (out->each && (out->asks_what_if || out->live.interface_count > 0))
        return wrong(error, "--each goes neither with what-if nor with --interface");
    if (out->live.interface_count > 0)
        return check_live(out, error);
    if (out->live.duration_ns > 0 || out->live.user || out->live.ring)
        return wrong(error, "--duration, --user and --ring go with --interface only");
    if (out->path_count == 0)
        return wrong(error, "no capture file given (\"-\" is standard input)");
    size_t standard_inputs = 0;
    for (size_t i = 0; i < out->path_count; i++)
        standard_inputs += strcmp(out->paths[i], "-") == 0;
    if (standard_inputs > 0 && out->each)
        return wrong(error, "-: with --each, captures must be files");
    return standard_inputs < 2 ? OPTIONS_RUN : wrong(error, "-: standard input can be read only once");
}

static options_status check_ids(const options *out, char *error)
{
    for (size_t i = 0; i < out->path_count; i++) {
        ka_slice name = {out->paths[i], strlen(out->paths[i])};
        if (ka_finding_by_name(name) == KA_FINDING_COUNT)
            return unknown_finding("explain", name, error);
    }
    return OPTIONS_EXPLAIN;
}

/* Of all options only these say something about an explanation. */
static bool is_for_explain(int code)
{
    return code == 'h' || code == 'V' || code == CODE_COLOR || code == ':' || code == '?';
}

/* It tells neither findings nor connections. */
static bool is_for_what_if(int code)
{
    return code != 'i' && code != CODE_CONNECTIONS && code != CODE_EXCHANGES && code != CODE_FAIL_ON &&
           code != CODE_MIN_SEVERITY && code != CODE_ONLY && code != CODE_IGNORE;
}

static options_status check_what_if(const options *out, char *error)
{
    const char *fault = what_if_options_check(&out->what_if);
    return fault ? wrong(error, "%s", fault) : check_paths(out, error);
}

/* getopt keeps its place in globals; this starts it anew, as each library wants it. */
static void restart_getopt(void)
{
    opterr = 0;
#if defined(__GLIBC__) || defined(__linux__)
    optind = 0;
#else
    optind = 1;
    optreset = 1;
#endif
}

options_status options_parse(int argc, char **argv, options *out, char error[OPTIONS_ERROR_BYTES])
{
    struct option table[TABLE_COUNT];
    options parsed = {.format = OPTIONS_TEXT, .memory_bytes = MEMORY_DEFAULT_BYTES};
    bool explain = argc > 1 && strcmp(argv[1], "explain") == 0;
    bool what_if = argc > 1 && strcmp(argv[1], "what-if") == 0;
    argc -= explain || what_if;
    argv += explain || what_if;
    parsed.asks_what_if = what_if;
    what_if_question_init(&parsed.what_if);
    parsed.live = (options_live){.ring_file_bytes = RING_FILE_BYTES, .ring_files = RING_FILES};
    ka_thresholds_init(&parsed.thresholds);
    table_of_options(table, what_if);
    restart_getopt();
    for (int code; (code = getopt_long(argc, argv, ":hi:Vo:r", table, NULL)) != -1;) {
        if (explain && !is_for_explain(code))
            return wrong(error, "explain takes no options but --color");
        if (what_if && !is_for_what_if(code))
            return wrong(error, "what-if reads files, and tells no findings, connections or exchanges");
        options_status status = set_option(&parsed, code, argv, error);
        if (status != OPTIONS_RUN)
            return status;
    }
    parsed.paths = (const char *const *)(argv + optind);
    parsed.path_count = (size_t)(argc - optind);
    options_status status = explain   ? check_ids(&parsed, error)
                            : what_if ? check_what_if(&parsed, error)
                                      : check_paths(&parsed, error);
    if (status != OPTIONS_WRONG)
        *out = parsed;
    return status;
}
