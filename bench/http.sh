#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# bench/http.sh [BUILD_DIR] [SECONDS] [ROUNDS]: CPU µs per request of the HTTP core and of nginx serving a
# static file of the same size, in turn, plain and over TLS, with wrk on loopback. CPU is user + system time
# of the server process from /proc/PID/stat: the figure to trust on a shared machine.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build/release}
seconds=${2:-3}
rounds=${3:-3}
plain=$((20000 + $$ % 10000))
dir=$(mktemp -d)
ours='' theirs=''
finish() {
	for pid in $ours $theirs; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	rm -rf "$dir"
}
trap finish EXIT INT TERM

ninja -C "$build" bench/http_hello > "$dir/build.log" || { cat "$dir/build.log"; exit 1; }
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
	-keyout "$dir/key.pem" -out "$dir/cert.pem" 2> "$dir/openssl.log"
printf '%s' '{"active":true,"scope":"mail.read","client_id":"agent","sub":"usr_abcdefghijklmnopqrstuvwxyz","exp":1795597500}' \
	> "$dir/hello.json"
cat > "$dir/nginx.conf" << CONF
daemon off; master_process off; pid $dir/pid; error_log $dir/log crit;
events { worker_connections 1024; }
http {
	access_log off; keepalive_requests 100000000; tcp_nodelay on; sendfile on;
	open_file_cache max=10; types { application/json json; } root $dir;
	ssl_certificate $dir/cert.pem; ssl_certificate_key $dir/key.pem;
	server { listen 127.0.0.1:$((plain + 2)) reuseport; listen 127.0.0.1:$((plain + 3)) ssl reuseport; }
}
CONF
chmod 755 "$dir"

"$build/bench/http_hello" 1 "$plain" "$((plain + 1))" "$dir/cert.pem" "$dir/key.pem" &
ours=$!
/usr/sbin/nginx -e "$dir/log" -c "$dir/nginx.conf" &
theirs=$!
for port in 0 1 2 3; do
	until curl -sk -o /dev/null "http://127.0.0.1:$((plain + port))/" ||
		curl -sk -o /dev/null "https://127.0.0.1:$((plain + port))/"; do
		sleep 0.1
	done
done

ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

# run NAME PID URL CONNECTIONS
run() {
	before=$(ticks "$2")
	wrk -t1 -c"$4" -d"${seconds}s" --latency "$3" > "$dir/wrk.out"
	after=$(ticks "$2")
	awk -v name="$1" -v ticks=$((after - before)) -v hz="$(getconf CLK_TCK)" '
		/requests in/ { count = $1 } /Requests\/sec/ { rate = $2 } / 50%/ { p50 = $2 } / 99%/ { p99 = $2 }
		/Non-2xx|Socket errors/ { bad = "  ! " $0 }
		END { printf "%-24s %9.0f req/s %7.2f µs CPU  p50 %s p99 %s%s\n", name, rate,
			ticks / hz * 1e6 / count, p50, p99, bad }' "$dir/wrk.out"
}

echo "1 loop, 1 worker; $(uname -sr); $(nproc) cores; nginx $(/usr/sbin/nginx -v 2>&1 | sed 's/.*nginx.//')"
for connections in 32 128; do
	round=0
	while [ "$round" -lt "$rounds" ]; do
		round=$((round + 1))
		run "core plain c$connections" "$ours" "http://127.0.0.1:$plain/hello.json" "$connections"
		run "nginx plain c$connections" "$theirs" "http://127.0.0.1:$((plain + 2))/hello.json" "$connections"
		run "core TLS c$connections" "$ours" "https://127.0.0.1:$((plain + 1))/hello.json" "$connections"
		run "nginx TLS c$connections" "$theirs" "https://127.0.0.1:$((plain + 3))/hello.json" "$connections"
	done
done
run "core worker lane c32" "$ours" "http://127.0.0.1:$plain/worker.json" 32
echo "core, resident: $(awk '/^VmRSS/ { print $2, $3 }' "/proc/$ours/status"), $(awk '/^Pss:/ { print "PSS", $2, $3 }' "/proc/$ours/smaps_rollup")"
