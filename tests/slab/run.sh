#!/usr/bin/env bash
# about: SLAB and the page backend on the host, against a shadow, under ASan and UBSan
# Host tests of kernel/mm/slab under ASan and UBSan: tests/slab/run.sh [SEED [BACKEND...]]. They run once
# for each of these allocators, on the real page allocator. Those of SLUB and SLOB are in tests/slub.
# BUILD (default build) is where the binaries go, CC the host's compiler.
# Ends with "N passed, N failed"; exit status 0 when none failed.
set -u
cd "$(dirname "$0")/../.." || exit 2
seed=${1:-1}
shift
out=${BUILD:-build}/host/slab-test
mkdir -p "$out"

flags=(-std=gnu11 -O1 -g -fno-omit-frame-pointer -fno-strict-aliasing -fwrapv -Wall -Wextra -Werror
	-ffreestanding -fPIC -fsanitize=address,undefined -fno-sanitize-recover=all -fno-common
	-D__KERNEL__ -DCONFIG_ARCH_HOST=1 -DCONFIG_LAB=3 -D_text=image_text -D_end=image_end
	-I kernel -I kernel/arch/host/include -I tests/slab)
sources=(kernel/mm/phys/{memblock,page_init,page_alloc,page_fast,buddy,pcp,zonelist,sections,zone,vmstat}.c
	kernel/lib/bitops.c
	kernel/mm/slab/{common,free}.c tests/hosted/*.c
	tests/slab/{main,test_objects,test_cpus}.c)

# What the host's CPUs cannot do, be called by another, the test does: see main.c.
build() {
	local backend=$1 o="$out/host-$1.o"

	"${CC:-gcc}" "${flags[@]}" -Dsmp_call=host_smp_call -c -o "$o" kernel/arch/host/host.c &&
	"${CC:-gcc}" "${flags[@]}" "-DCONFIG_SLAB_${backend^^}=1" -o "$out/$backend" "$o" \
		"${sources[@]}" kernel/mm/slab/"$backend"*.c $(ls "tests/slab/test_$backend.c" 2>/dev/null) \
		$([ "$backend" = slab ] || echo kernel/mm/slab/keep_nothing.c) -pthread \
		-no-pie -Wl,--no-relax,--defsym=image_text=0xffffffff80000000 \
		-Wl,--defsym=image_end=0xffffffff80400000 && return
	echo "# $backend or its tests do not compile"
	echo "0 passed, 1 failed"
	exit 1
}

good=0 bad=0
for backend in ${*:-page slab}; do
	compgen -G "kernel/mm/slab/$backend*.c" >/dev/null || continue
	build "$backend"
	echo "# $backend"
	ASAN_OPTIONS=detect_leaks=0 timeout -s KILL 100 "$out/$backend" "$seed" >"$out/log" 2>&1
	status=$?
	grep -v ' passed, ' "$out/log"
	good=$((good + $(grep -c '^ok ' "$out/log")))
	bad=$((bad + $(grep -c '^not ok ' "$out/log")))
	tail -n 1 "$out/log" | grep -q ' passed, ' && continue
	echo "# $backend died with status $status; replay with: tests/slab/run.sh $seed $backend"
	bad=$((bad + 1))
done
echo "$good passed, $bad failed"
[ "$bad" = 0 ]
