# decode.sh - instructions of reading a message_new, against json-c's parse of it
set -u
O=${O:-build}
rounds=200

instructions() {
	valgrind --tool=callgrind --callgrind-out-file=/dev/null \
	    "$O/tests/bench/decode" "$1" $rounds "$2" 2>&1 |
	    sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}

# A message of 1.3 KB as VK sends it, and one of 20 KB with photos.
for body in tests/bench/small.json tests/bench/large.json; do
	size=$(stat -c %s "$body")
	base=$(instructions nothing "$body")
	for way in json-c check decode; do
		echo "$way $(($(instructions $way "$body") - base))"
	done | awk -v rounds=$rounds -v size="$size" '
		{ n[$1] = $2 / rounds }
		END {
			j = n["json-c"]
			printf "%d bytes: json-c parse %d instructions\n", size, j
			printf "  check %d, %.2f of it; check and structs %d, " \
			    "%.2f\n", n["check"], n["check"] / j,
			    n["decode"], n["decode"] / j
		}'
done
