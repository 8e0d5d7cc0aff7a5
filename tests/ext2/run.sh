#!/usr/bin/env bash
# about: ext2 on the host: a model, crashes in every step, damaged disks, against real e2fsck
# timeout: 300
#
# ext2 on the host, under ASan and UBSan, against real e2fsck: tests/ext2/run.sh [SECONDS [SEED]].
# BUILD (default build) is where the binary and the disks go, CC the host's compiler. Failing disks
# stay there. Ends with "N passed, N failed"; exit status 0 when none failed.
set -u
cd "$(dirname "$0")/../.." || exit 2
seconds=${1:-$([ "${CAMPAIGN:-}" ] && echo 300 || echo 16)}
seed=${2:-1}
out=${BUILD:-build}/host/ext2-test
mkdir -p "$out"
rm -f "$out"/*-[0-9]*
PATH=$PATH:/usr/sbin:/sbin
export MKE2FS_CONFIG=/dev/null LC_ALL=C ASAN_OPTIONS=detect_leaks=0

flags=(-std=gnu11 -O1 -g -fno-omit-frame-pointer -Wall -Wextra -Werror -Wno-address -fno-builtin
	-DCONFIG_ARCH_HOST -D__KERNEL__)
sanitize=(-fsanitize=address,undefined -fno-sanitize-recover=all)
sources=(kernel/fs/ext2/*.c kernel/fs/{inode,dcache,namei,file}.c kernel/mm/cache/{filemap,writeback}.c
	kernel/lib/{radix,bitmap,bitops}.c tests/ext2/{main,model,orders,shim}.c)

# build NAME FLAG...: one thread, but many forks, so the crash test does without sanitizers.
build() {
	local name=$1
	shift
	"${CC:-gcc}" "${flags[@]}" "$@" -c -o "$out/$name.o" tests/ext2/host.c &&
		"${CC:-gcc}" "${flags[@]}" "$@" -I tests/ext2/shim -I kernel -I tests/ext2 \
			-o "$out/$name" "${sources[@]}" "$out/$name.o"
}
if ! build crash || ! build damage "${sanitize[@]}"; then
	echo "# ext2 or its tests do not compile"
	echo "0 passed, 1 failed"
	exit 1
fi

passed=0 failed=0
# part NAME SECONDS
part() {
	timeout -s KILL $(($2 * 3 + 180)) "$out/$1" "$1" "$out" "$2" "$seed" ${VERBOSE:+v} >"$out/$1.log" 2>&1
	local status=$?
	grep -v ' passed, ' "$out/$1.log"
	if ! tail -n 1 "$out/$1.log" | grep -q ' passed, '; then
		echo "not ok - the test of $1 died with status $status"
		failed=$((failed + 1))
	fi
	passed=$((passed + $(grep -c '^ok ' "$out/$1.log")))
	failed=$((failed + $(grep -c '^not ok ' "$out/$1.log")))
}
part crash $((seconds - seconds / 4))
part damage $((seconds / 4 + 1))
echo "figure: $(sed -n 's/^ok.* mends \([0-9]*\) crashes.*/\1/p' "$out/crash.log") crashes mended"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
