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

users() { on "$1" /usr/bin/python3 "$samples/users.py" "${@:2}" >>users.log; }

# truth ADDRESSES [CAPTURE...]: addresses of the proxy on both sides; standard input: lines known from the configuration.
truth()
{
    local captures=("${@:2}")
    [ ${#captures[@]} -gt 0 ] || captures=("${out:-$here}"/capture.pcap)
    cat >known.ndjson
    /usr/bin/python3 "$samples/truth.py" --proxy "$1" --known known.ndjson "$work" "${captures[@]}" >truth.ndjson
    cp truth.ndjson "${out:-$here}/truth.ndjson"
}
