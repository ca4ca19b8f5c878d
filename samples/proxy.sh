# shellcheck shell=bash
# proxy.sh - what the samples of proxies share besides lib.sh: who logs what, and the truth from the logs.
# SPDX-License-Identifier: GPL-2.0-or-later
#
#   . "$(dirname "$0")/../lib.sh"; . "$samples/proxy.sh"
#   nginx_origin origin "keepalive_timeout 2s;"    port 80; answers everything, and logs it in origin.log
#   users client --ids http://10.9.1.2 100 SCRIPT  see users.py; what they saw goes to users.log
#   truth 10.9.1.2,10.9.2.2 <<'END' ... END        after finish: truth.ndjson, what is known from the configuration first

needs_users()
{
    needs tshark "$@"
    /usr/bin/python3 -c 'import requests' || { say "needs python3-requests"; exit 2; }
}

# Formats of logs for truth.py, where the client's port and the request's number must be in.
nginx_log="log_format truth 'n=\$http_x_sample client=\$remote_port status=\$status upstream=\$upstream_status \$msec';"
apache_log='"n=%{X-Sample}i client=%{remote}p status=%>s k=%k %{%s}t.%{msec_frac}t"'

# nginx_origin HOST DIRECTIVE...
nginx_origin()
{
    nginx_at "$1" 8080 "$nginx_log" "access_log $work/origin.log truth;" \
        "server { listen 80; default_type text/plain; location / { return 200 'ok\n'; } }" "${@:2}"
}

# nginx_proxy HOST DIRECTIVE...: the server blocks are the caller's.
nginx_proxy()
{
    nginx_at "$1" 8000 "$nginx_log" "access_log $work/proxy.log truth;" "${@:2}"
}

# one_address PROXY ADDRESS ORIGIN GATEWAY: upstream, too, the proxy has the address that the clients know, as most have;
# GATEWAY is its address on the origin's wire.
one_address()
{
    on "$1" ip route replace "${4%.*}.0/24" dev "$(on "$1" ip -o address show to "$4" | awk '{ print $2 }')" src "$2"
    on "$3" ip route add "$2" via "$4"
}

# haproxy_log PORT BACKEND: the lines of a frontend that logs for truth.py.
haproxy_log()
{
    echo "    bind :$1"
    echo "    http-request capture req.hdr(X-Sample) len 8"
    echo "    log-format \"n=%[capture.req.hdr(0)] client=%cp status=%ST upstream_port=%bp retries=%rc %tsc\""
    echo "    default_backend $2"
}

users() { on "$1" /usr/bin/python3 "$samples/users.py" "${@:2}" >>users.log; }

# healthy_users HOST [OPTION...] URL: what every rightly configured proxy is asked. Pauses
# shorter and longer than the pool's timeout (5 s), and twenty-four short visits.
healthy_users()
{
    local i scripts=(
        'get /; idle 3; get /list; idle 3; post /order; idle 3; get /'
        'wait 1; get /; idle 2; post /order; idle 2; post /cart; idle 7; get /list'
        'wait 2; get /list; close; idle 3; get /; close; idle 7; post /order'
        'wait 2.5; get /; get /list; get /; idle 4.5; post /order; get /; idle 0.5')
    for i in $(seq 0 23); do scripts+=("wait $(awk -v i="$i" 'BEGIN { print 0.5 + i * 0.15 }'); get /; get /list; idle 0.2"); done
    users "$@" 10000 "${scripts[@]}"
    sleep 10 # the pool's connections end
}

# capture_second HOST ... finish_second OFFSET_S DRIFT_PPM: a second capture, origin.pcap, with a clock of its own, that is ahead
# by OFFSET_S at its first packet and gains DRIFT_PPM.
capture_second()
{
    ip netns exec "$tag-$1" tcpdump -i eth1 --immediate-mode -B 16384 -U -s 0 -Z root -w "$work/second.pcap" tcp 2>second.log &
    second=$!
    children+=("$second")
    wait_for_text second.log "listening on"
}

finish_second()
{
    kill -INT "$second"
    wait "$second" || true
    "$samples/skew.py" "$1" "$2" second.pcap origin.pcap
    cp origin.pcap "${out:-$here}/origin.pcap"
}

# truth ADDRESSES [CAPTURE...]: addresses of the proxy on both sides; standard input: lines known from the configuration.
truth()
{
    local captures=("${@:2}")
    [ ${#captures[@]} -gt 0 ] || captures=(capture.pcap)
    cat >known.ndjson
    /usr/bin/python3 "$samples/truth.py" --proxy "$1" --known known.ndjson "$work" "${captures[@]}" >truth.ndjson
    cp truth.ndjson "${out:-$here}/truth.ndjson"
}
