#!/usr/bin/env bash
# about: SLUB and SLOB on the host: shadow map and random traces under ASan, UBSan and TSan
# Host tests of kernel/mm/slab: tests/slub/run.sh [SEED [VARIANT]]. SLUB under ASan and UBSan, plain, hardened and
# with DEBUG=1, and under ThreadSanitizer; SLOB under ASan and UBSan. Threads are CPUs.
# BUILD (default build) is where the binaries go, CC the host's compiler. Ends with "N passed, N failed";
# exit status 0 when none failed.
set -u
cd "$(dirname "$0")/../.." || exit 2
seed=${1:-1} only=${2:-}
out=${BUILD:-build}/host/slub-test
mkdir -p "$out"

flags=(-std=gnu11 -O1 -g -fno-omit-frame-pointer -fno-strict-aliasing -fwrapv -Wall -Wextra -Werror
	-ffreestanding -fPIC -fno-common -D__KERNEL__ -DCONFIG_ARCH_HOST=1 -DCONFIG_LAB=4
	-D_text=image_text -D_end=image_end -I kernel -I kernel/arch/host/include -I tests/slub)
asan=(-fsanitize=address,undefined -fno-sanitize-recover=all)
sources=(kernel/arch/host/*.c kernel/mm/slab/{common,free}.c
	kernel/mm/phys/{memblock,memblock_fdt,page_init,page_alloc,page_fast,buddy,pcp,zonelist}.c
	kernel/mm/phys/{sections,zone,vmstat}.c kernel/lib/{fdt*,bitops}.c tests/{hosted,slub}/*.c)
slub=(-DCONFIG_SLAB_SLUB=1 kernel/mm/slab/slub{,_cache,_debug}.c)
slob=(-DCONFIG_SLAB_SLOB=1 kernel/mm/slab/{slob,keep_nothing}.c)
good=0 bad=0

# variant NAME OPTION...: builds and runs
variant() {
	local name=$1 status
	shift
	[ -z "$only" ] || [ "$only" = "$name" ] || return
	echo "# $name"
	if ! "${CC:-gcc}" "${flags[@]}" -o "$out/$name" "${sources[@]}" "$@" -pthread \
		-no-pie -Wl,--no-relax,--defsym=image_text=0xffffffff80000000 \
		-Wl,--defsym=image_end=0xffffffff80400000; then
		echo "# $name does not compile"
		bad=$((bad + 1))
		return
	fi
	TSAN_OPTIONS="suppressions=tests/slub/tsan.supp halt_on_error=0 exitcode=66" \
		ASAN_OPTIONS=detect_leaks=0 timeout -s KILL 120 "$out/$name" "$seed" >"$out/$name.log" 2>&1
	status=$?
	grep -v ' passed, ' "$out/$name.log" | head -n 60
	good=$((good + $(grep -c '^ok ' "$out/$name.log")))
	bad=$((bad + $(grep -c '^not ok ' "$out/$name.log")))
	[ $status = 0 ] || grep -q '^not ok ' "$out/$name.log" && [ $status -lt 2 ] && return
	echo "# $name ended with status $status; replay with: tests/slub/run.sh $seed"
	bad=$((bad + 1))
}

variant slub "${asan[@]}" "${slub[@]}"
variant slub-hardened "${asan[@]}" "${slub[@]}" -DCONFIG_SLUB_HARDENED=1
variant slub-debug "${asan[@]}" "${slub[@]}" -DCONFIG_DEBUG=1 -DCONFIG_SLUB_STATS=1
variant slub-tsan -fsanitize=thread "${slub[@]}"
[ ! -f kernel/mm/slab/slob.c ] || variant slob "${asan[@]}" "${slob[@]}"
echo "$good passed, $bad failed"
[ "$bad" = 0 ]
