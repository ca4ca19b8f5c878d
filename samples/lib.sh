# shellcheck shell=bash
# lib.sh - what every samples/*/make shares: hosts, wires, captures, and cleaning up whatever happens.
# SPDX-License-Identifier: GPL-2.0-or-later
#
#   . "$(dirname "$0")/../lib.sh"
#   needs apache2 curl                      stop early if a program is missing
#   host client; host server                network namespaces
#   wire client 10.9.0.1 server 10.9.0.2 5ms [LOSS% REORDER% SEED]
#   start server apache2 ...                a program in the background, its output in $work/NAME.log
#   capture client [us|ns]                  tcpdump on that host from now on
#   on client curl ...                      a program on that host
#   finish                                  stop the capture and put it in place
#
# Everything runs in $work, a new directory that goes away at the end; with KEEP=1 it stays (configurations, logs).

set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
samples=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
name=$(basename "$here")
work=$(mktemp -d "/tmp/keptalive-$name.XXXXXX")
chmod 755 "$work"
cd "$work"

tag=ka$$       # in the names of namespaces and devices: several samples can be made at once
wires=0
hosts=()
children=()
captured_on=""
export PYTHONDONTWRITEBYTECODE=1 LC_ALL=C

say() { echo "$name: $*" >&2; }

# Ends what was started, and nothing else: the processes inside our own namespaces.
clean_up()
{
    local status=$? host pid
    set +e
    exec 3>&2 2>/dev/null # bash would tell of every process killed
    for host in "${hosts[@]}"; do
        for pid in $(ip netns pids "$tag-$host" 2>/dev/null); do kill -KILL "$pid" 2>/dev/null; done
    done
    for pid in "${children[@]}"; do kill -KILL "$pid" 2>/dev/null; done
    wait
    exec 2>&3
    for host in "${hosts[@]}"; do ip netns del "$tag-$host"; done
    cd /
    if [ -n "${KEEP:-}" ] || [ "$status" != 0 ]; then say "left in $work"; else rm -rf "$work"; fi
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

needs()
{
    local program
    [ "$(id -u)" = 0 ] || { say "needs root (network namespaces, capturing)"; exit 2; }
    for program in ip cc tcpdump ethtool python3 "$@"; do
        PATH=$PATH:/usr/sbin command -v "$program" >/dev/null || { say "needs $program"; exit 2; }
    done
    PATH=$PATH:/usr/sbin
}

host()
{
    ip netns add "$tag-$1"
    hosts+=("$1")
    on "$1" ip link set lo up
    # Neither router solicitations nor duplicate address detection: only the sample's packets.
    on "$1" sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.router_solicitations=0
}

on() { ip netns exec "$tag-$1" "${@:2}"; }

# Gives a device to a host, with an address, and without anything that merges or splits segments.
plug()
{
    local device=$1 host=$2 address=$3 as=$4 length=24
    case $address in *:*) length=64 ;; esac
    ip link set "$device" netns "$tag-$host"
    on "$host" ip link set "$device" name "$as"
    on "$host" ethtool -K "$as" tso off gso off gro off tx off rx off >/dev/null 2>&1 || true
    on "$host" ip address add "$address/$length" dev "$as"
    on "$host" ip link set "$as" up
}

# wire HOST ADDRESS HOST ADDRESS DELAYms [LOSS% REORDER% SEED]: the delay is one way.
wire()
{
    local a=${tag}a$wires b=${tag}b$wires as=eth$wires delay=${5%ms} loss=${6:-0} reorder=${7:-0}
    [ -x relay ] || cc -std=c11 -O2 -o relay "$samples/relay.c"
    ./relay "$a" "$b" "${delay}000" "$(permille "$loss")" "$(permille "$reorder")" "${8:-1}" >"relay$wires.log" &
    children+=($!)
    wait_for_text "relay$wires.log" ready
    plug "$a" "$1" "$2" "$as"
    plug "$b" "$3" "$4" "$as"
    wires=$((wires + 1))
}

# A wire without delay and with segmentation offload on: a capture shows segments larger than the wire carries.
wire_with_offload()
{
    local a=${tag}a$wires b=${tag}b$wires as=eth$wires host
    ip link add "$a" type veth peer name "$b"
    plug "$a" "$1" "$2" "$as"
    plug "$b" "$3" "$4" "$as"
    for host in "$1" "$3"; do on "$host" ethtool -K "$as" tx on tso on gso on gro on >/dev/null; done
    wires=$((wires + 1))
}

# A host that forwards between its two wires, and how the others reach each other through it:
# router MIDDLE CLIENT CLIENT_SIDE_ADDRESS SERVER SERVER_SIDE_ADDRESS (the addresses are the router's)
router()
{
    on "$1" sysctl -qw net.ipv4.ip_forward=1
    on "$2" ip route add default via "$3"
    on "$4" ip route add default via "$5"
}

permille() { awk -v p="${1%\%}" 'BEGIN { printf "%d", p * 10 }'; }

wait_for_text()
{
    for _ in $(seq 200); do
        grep -q -- "$2" "$1" 2>/dev/null && return
        sleep 0.05
    done
    say "no '$2' in $1 after 10 s"
    cat "$1" >&2
    exit 1
}

# start HOST NAME PROGRAM...: in the background, output to NAME.log.
start()
{
    ip netns exec "$tag-$1" "${@:3}" >"$2.log" 2>&1 &
    children+=($!)
    started=$!
}

# Waits until something listens on the port of that host.
listening()
{
    for _ in $(seq 200); do
        [ -n "$(on "$1" ss -Hltn "sport = :$2")" ] && return
        sleep 0.05
    done
    say "nothing listens on port $2 of $1 after 10 s"
    tail ./*.log >&2
    exit 1
}

# capture HOST [us|ns] [DEVICE]
capture()
{
    local precision=micro device=${3:-any-wire}
    [ "${2:-us}" = ns ] && precision=nano
    [ "$device" = any-wire ] && device=$(on "$1" ip -o link | sed -n 's/^[0-9]*: \(eth[0-9]*\).*/\1/p' | head -1)
    ip netns exec "$tag-$1" tcpdump -i "$device" --immediate-mode -B 16384 -U -s 0 -Z root --time-stamp-precision=$precision \
        -w "$work/capture.pcap" tcp 2>tcpdump.log &
    captured_on=$!
    children+=("$captured_on")
    wait_for_text tcpdump.log "listening on"
}

# finish [pcap|pcapng]: lets the last segments in, and replaces the old capture only with a complete new one.
finish()
{
    local format=${1:-pcap}
    sleep 1.5
    kill -INT "$captured_on"
    wait "$captured_on" || true
    grep -q "^0 packets dropped by kernel" tcpdump.log || { say "packets were dropped"; cat tcpdump.log >&2; exit 1; }
    if [ "$format" = pcapng ]; then
        editcap -F pcapng capture.pcap capture.pcapng
    fi
    cp "capture.$format" "${out:-$here}/capture.$format.new"
    mv "${out:-$here}/capture.$format.new" "${out:-$here}/capture.$format"
    say "$(stat -c %s "capture.$format") bytes"
}

# ---- Servers -------------------------------------------------------------------------------------

# pages [BYTES]: index.html, hello.txt, and page.txt of that many bytes.
pages()
{
    mkdir -p www
    echo ok >www/index.html
    echo hello >www/hello.txt
    head -c "${1:-6000}" /dev/zero | tr '\0' 'k' >www/page.txt
    touch -d '2026-01-01 00:00:00 UTC' www/* # known to the conditional requests
}

# apache HOST PORT DIRECTIVE...: Apache httpd serving www, the directives added.
apache()
{
    local host=$1 port=$2 directive modules=/usr/lib/apache2/modules
    pages
    {
        echo "ServerRoot $work"
        echo "ServerName sample"
        echo "PidFile $work/apache-$port.pid"
        echo "Listen $port"
        echo "ErrorLog $work/apache-error.log"
        echo "LogLevel info"
        echo "User www-data"
        echo "Group www-data"
        for directive in mpm_event authz_core mime dir; do
            echo "LoadModule ${directive}_module $modules/mod_$directive.so"
        done
        echo "TypesConfig /etc/mime.types"
        echo "DirectoryIndex index.html"
        echo "DocumentRoot $work/www"
        # %k: the request's number on its connection; %X: + kept alive, - closed after it
        echo 'LogFormat "%{%H:%M:%S}t.%{msec_frac}t \"%r\" %>s k=%k %X" sample'
        echo "CustomLog $work/apache-access.log sample"
        echo "StartServers 1"
        printf '%s\n' "${@:3}"
    } >"apache-$port.conf"
    start "$host" apache "$(command -v apache2)" -f "$work/apache-$port.conf" -DFOREGROUND
    listening "$host" "$port"
}

# nginx_at HOST PORT DIRECTIVE...: nginx serving www, the directives added to its http block.
nginx_at()
{
    local host=$1 port=$2
    pages
    {
        echo "daemon off; pid $work/nginx-$port.pid; user www-data; worker_processes 1;"
        echo "error_log $work/nginx-error.log info;"
        echo "events { worker_connections 256; }"
        echo "http {"
        echo '    log_format sample "$msec $connection:$connection_requests \"$request\" $status";'
        echo "    access_log $work/nginx-access.log sample;"
        local temp
        for temp in client_body proxy fastcgi uwsgi scgi; do echo "    ${temp}_temp_path $work/nginx-$temp;"; done
        printf '    %s\n' "${@:3}"
        echo "    server { listen $port; listen [::]:$port; root $work/www; }"
        echo "}"
    } >"nginx-$port.conf"
    start "$host" nginx nginx -e "$work/nginx-start.log" -c "$work/nginx-$port.conf"
    listening "$host" "$port"
}

raw_client() { on "$1" "$samples/raw_client.py" "${@:2}" | tee -a client.log; }

raw_server()
{
    start "$1" server "$samples/raw_server.py" "${@:2}"
    listening "$1" "$2"
}
