#!/usr/bin/env bash
# run by: tests/suite/fuzz.py
# Fuzz an allocator on the host: libFuzzer, under ASan and UBSan, judged by an oracle.
#
#   tests/fuzz/run.sh [--seconds N] [--replay] [ALLOCATOR...]
#
#   --seconds N    fuzz so long each (default 60); 0: no fuzzing, as --replay
#   --replay       only run the inputs of tests/fuzz/corpus/ALLOCATOR
#   --seed N       of the fuzzer's choices (default 1)
#   --tree DIR     take kernel/mm/slab/* from there where it has it (a patched copy)
#   --input FILE   run this one input
#   --keep         reduce what was found and all inputs to the smallest set, and make it the corpus
#
# Allocators: page slab slub slub-hardened slob freelist buddy (default: all). The last two are the page cores of
# labs 1 and 2. Everything goes to $BUILD/fuzz/ALLOCATOR: the program, the inputs found, logs, and for what
# was found crash-… with the command that replays it. Needs clang.
# Exit status: 0 nothing was found; 1 something was; 2 trouble.
set -u
here=$(cd "$(dirname "$0")/../.." && pwd) || exit 2
cd "$here" || exit 2
all=(page slab slub slub-hardened slob freelist buddy)
seconds=60 seed=1 tree='' input='' keep=''
allocators=()
usage() { sed -n '3,/^set/s/^# \?//p' "$0" | sed '$d'; }
while [ $# -gt 0 ]; do
	case $1 in
	-h | --help) usage; exit 0 ;;
	--replay) seconds=0 ;;
	--keep) keep=1 ;;
	--seconds | --seed | --tree | --input)
		[ $# -gt 1 ] || { echo "fuzz: $1 needs a value" >&2; exit 2; }
		declare "${1#--}=$2"
		shift ;;
	-*) echo "fuzz: $1: no such option; see --help" >&2; exit 2 ;;
	*) [[ " ${all[*]} " == *" $1 "* ]] || { echo "fuzz: $1: one of ${all[*]}" >&2; exit 2; }
		allocators+=("$1") ;;
	esac
	shift
done
[[ $seconds$seed =~ ^[0-9]+$ ]] || { echo "fuzz: --seconds and --seed take numbers" >&2; exit 2; }
[ -z "$tree" ] || tree=$(cd "$tree" && pwd) || exit 2
command -v clang >/dev/null || { echo "fuzz: clang is missing; run ./tools/setup" >&2; exit 2; }

flags=(-std=gnu11 -O1 -g -fno-omit-frame-pointer -fno-strict-aliasing -fwrapv -Wall -Wextra -Werror
	-ffreestanding -fno-common -fno-pie -fsanitize=address,undefined -fno-sanitize-recover=all
	-D__KERNEL__ -DCONFIG_ARCH_HOST=1 -DCONFIG_FUZZ=1 -I kernel -I kernel/arch/host/include)
world=(kernel/test/ktest/{world,pages,objects}.c tests/fuzz/fuzz.c)
host=(kernel/test/ktest/{ktest,host}.c kernel/arch/host/host.c kernel/lib/{sort,bitops}.c)
given=(kernel/mm/slab/{common,free}.c kernel/mm/phys/{sections,vmstat}.c)

# compile GROUP OPTIONS SOURCE...: their objects are then in $objects.
compile() {
	local group=$1 options=$2 source object
	shift 2
	objects=()
	for source in "$@"; do
		object=$out/$group-${source//\//+}.o
		objects+=("$object")
		[ ! -f "$tree/$source" ] || source=$tree/$source
		clang "${flags[@]}" "${variant[@]}" $options -c -o "$object" "$source" || return 1
	done
}

# The world gets a prefix, so that it does not meet the kernel functions of the host below it: see docs/ktest.md.
build_slab() {
	local objects
	compile core "" "${host[@]}" || return 1
	local core=("${objects[@]}")
	compile world -DCONFIG_WORLD=1 "${world[@]}" || return 1
	local harness=("${objects[@]}")
	compile given "-DCONFIG_WORLD=1 -fsanitize=fuzzer-no-link" "${given[@]}" || return 1
	local under=("${objects[@]}")
	# The oracle watches slabs come and go.
	compile under "-DCONFIG_WORLD=1 -fsanitize=fuzzer-no-link -Dslab_pages_alloc=via_slab_pages_alloc
		-Dslab_pages_free=via_slab_pages_free" "${backend[@]/#/kernel/mm/slab/}" || return 1
	ld -r -T kernel/test/ktest/world.lds -o "$out/under.o" "${under[@]}" "${objects[@]}" 2>"$out/ld.log" ||
		{ cat "$out/ld.log" >&2; return 1; }
	ld -r -o "$out/world.o" "$out/under.o" "${harness[@]}" &&
	nm -g --defined-only "$out/world.o" | awk '$3 !~ /^(LLVMFuzzer|world_reset$)/ { print $3, "stu_" $3 }' \
		>"$out/prefix" &&
	objcopy --redefine-syms="$out/prefix" "$out/world.o" &&
	clang -no-pie -fsanitize=address,undefined,fuzzer -pthread -o "$out/fuzz" "$out/world.o" "${core[@]}"
}

build() {
	local backend
	mkdir -p "$out"
	case $1 in
	page) backend=(page_backend.c) variant=(-DCONFIG_LAB=2 -DCONFIG_SLAB_PAGE=1) ;;
	slab) backend=(slab.c) variant=(-DCONFIG_LAB=3 -DCONFIG_SLAB_SLAB=1) ;;
	slub*) backend=(slub.c slub_cache.c slub_debug.c) variant=(-DCONFIG_LAB=4 -DCONFIG_SLAB_SLUB=1)
		[ "$1" = slub ] || variant+=(-DCONFIG_SLUB_HARDENED=1) ;;
	slob) backend=(slob.c) variant=(-DCONFIG_LAB=4 -DCONFIG_SLAB_SLOB=1) ;;
	*) local lab=$([ "$1" = freelist ] && echo 1 || echo 2)
		make -s BUILD="$build" LAB="$lab" FUZZ=1 host-test-build >"$out/build.log" &&
			cp "$build/host/fuzz-lab$lab/ktest-host" "$out/fuzz"
		return ;;
	esac
	build_slab
}

# fuzzer OPTION...: its last lines go to the log; true if nothing was found.
fuzzer() {
	ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=1:handle_abort=1 nice -n "${NICE:-0}" "$out/fuzz" \
		-timeout=20 -max_len=1024 -len_control=10 -rss_limit_mb=1500 -artifact_prefix="$out/" -seed="$seed" "$@" >"$out/log" 2>&1
}

# report NAME: what was found.
report() {
	local found
	found=$(sed -n 's/^.*Test unit written to //p' "$out/log" | tail -n 1)
	echo "not ok $1"
	grep -E '^# |ERROR: |runtime error|SUMMARY|^ +#[0-9]+ .* in .*(mm/|tests/)' "$out/log" | head -n 30 | sed 's,^[# ]*,#   ,'
	[ -z "$found" ] || echo "#   replay: tests/fuzz/run.sh --input $found $1"
	echo "#   log: $out/log"
	failed=1
}

# One allocator: its corpus, then new inputs.
run() {
	local name=$1 inputs=0 start=$SECONDS
	shopt -s nullglob
	local corpus=(tests/fuzz/corpus/"$name"/*)
	if [ -n "$input" ]; then
		fuzzer "$input" || { report "$name"; return; }
		echo "ok $name: $input"
		return
	fi
	if [ ${#corpus[@]} -gt 0 ] && ! fuzzer "${corpus[@]}"; then
		report "$name"
		return
	fi
	if [ "$seconds" -gt 0 ]; then
		mkdir -p "$out/inputs"
		echo "# $name: ${#corpus[@]} inputs replayed; fuzzing for $seconds s"
		if ! fuzzer -max_total_time="$seconds" -print_final_stats=1 "$out/inputs" tests/fuzz/corpus/"$name"; then
			report "$name"
			return
		fi
		inputs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$out/log")
		[ -z "$keep" ] || shrink "$name" || { echo "fuzz: cannot reduce the corpus" >&2; exit 2; }
	fi
	echo "ok $name: ${#corpus[@]} inputs of the corpus, $inputs new ones, $((SECONDS - start)) s"
}

# The fewest inputs that reach what all reach.
shrink() {
	rm -rf "$out/small"
	mkdir "$out/small"
	fuzzer -set_cover_merge=1 -use_counters=0 "$out/small" tests/fuzz/corpus/"$1" "$out/inputs" || return 1
	rm -f tests/fuzz/corpus/"$1"/*
	for file in "$out"/small/*; do
		cp "$file" tests/fuzz/corpus/"$1/$(basename "$file" | cut -c 1-8)"
	done
}

[ ${#allocators[@]} -gt 0 ] || allocators=("${all[@]}")
build=${BUILD:-build} failed=0
for name in "${allocators[@]}"; do
	out=$build/fuzz/$name
	mkdir -p "tests/fuzz/corpus/$name"
	build "$name" || { echo "fuzz: $name does not compile" >&2; exit 2; }
	run "$name"
done
exit $failed
