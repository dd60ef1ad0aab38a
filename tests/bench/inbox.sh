# inbox.sh - durable events per second, against no inbox and plain SQLite
. tests/lib.sh

bench=$root/$O/tests/bench/inbox
ms=700

# A disk whose flush takes 2 ms, slower than this machine's. Concurrent flushes
# wait together, as in the kernel.
cat >"$work/slow.c" <<'END_C'
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void
wait_for_disk(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
}

int
fdatasync(int fd)
{
	wait_for_disk();
	return (int)syscall(SYS_fdatasync, fd);
}

int
fsync(int fd)
{
	wait_for_disk();
	return (int)syscall(SYS_fsync, fd);
}
END_C
${CC:-cc} -shared -fPIC -o "$work/slow.so" "$work/slow.c"

# measure MODE PROCESSES - events per second, the median of three runs.
measure() {
	for _ in 1 2 3; do
		rm -rf "$work/store"
		mkdir "$work/store"
		"$bench" "$1" "$2" $ms "$work/store" || exit 1
	done | sort -n | sed -n 2p
}

for disk in "this disk" "a disk that flushes in 2 ms"; do
	[ "$disk" = "this disk" ] || export LD_PRELOAD="$work/slow.so"
	for processes in 1 4 8; do
		inbox=$(measure inbox $processes)
		none=$(measure none $processes)
		plain=$(measure plain $processes)
		awk -v disk="$disk" -v n=$processes -v inbox="$inbox" \
		    -v none="$none" -v plain="$plain" 'BEGIN {
			printf "%s, %d processes: %d durable events/s, %.3f " \
			    "of no inbox, %.1f of plain synchronous=FULL\n",
			    disk, n, inbox, inbox / none, inbox / plain
		}'
	done
done
