#!/usr/bin/env bash
# Host tests of kernel/mm/phys under ASan and UBSan: tests/phys/run.sh [SEED]. They run three times: as
# the stages 1 and 2 with DEBUG=1, and as stage 2 without, since only then the fast paths are there.
# BUILD (default build) is where the binary and QEMU's device trees go, CC the host's compiler.
# Ends with "N passed, N failed"; exit status 0 when none failed.
set -u
cd "$(dirname "$0")/../.." || exit 2
seed=${1:-1}
out=${BUILD:-build}/host/phys-test
mkdir -p "$out"

flags=(-std=gnu11 -O1 -g -fno-omit-frame-pointer -fno-strict-aliasing -fwrapv -Wall -Wextra -Werror
	-ffreestanding -fPIC -fsanitize=address,undefined -fno-sanitize-recover=all -fno-common
	-D__KERNEL__ -DCONFIG_ARCH_HOST=1 -D_text=image_text -D_end=image_end
	-I kernel -I kernel/arch/host/include
	-I tests/phys)
sources=(kernel/arch/host/*.c kernel/mm/phys/{memblock,memblock_fdt,page_init,page_alloc,page_fast}.c
	kernel/mm/phys/{sections,zone,vmstat}.c kernel/lib/fdt*.c tests/{hosted,phys}/*.c)
lab1=(-DCONFIG_LAB=1 kernel/mm/phys/{freelist,zonelist_stub}.c)
lab2=(-DCONFIG_LAB=2 kernel/mm/phys/{buddy,pcp,zonelist}.c)

# build NAME OPTION...
build() {
	local name=$1
	shift
	"${CC:-gcc}" "${flags[@]}" -o "$out/$name" "${sources[@]}" "$@" -pthread \
		-no-pie -Wl,--no-relax,--defsym=image_text=0xffffffff80000000 \
		-Wl,--defsym=image_end=0xffffffff80400000 && return
	echo "# kernel/mm/phys or its tests do not compile"
	echo "0 passed, 1 failed"
	exit 1
}
build lab1-debug "${lab1[@]}" -DCONFIG_DEBUG=1
build lab2-debug "${lab2[@]}" -DCONFIG_DEBUG=1
build lab2 "${lab2[@]}"

# dump NAME QEMU MACHINE [OPTION...]: QEMU writes the machine's tree and exits.
trees=()
dump() {
	local name=$1 qemu=$2 machine=$3
	shift 3
	command -v "$qemu" >/dev/null || { echo "# no $qemu: its trees are left out"; return; }
	rm -f "$out/$name.dtb"
	timeout -s KILL 20 "$qemu" -machine "$machine,dumpdtb=$out/$name.dtb" -display none \
		-serial null -monitor none -nic none "$@" </dev/null >"$out/$name.log" 2>&1
	[ -s "$out/$name.dtb" ] && trees+=("$out/$name.dtb")
}
numa=(-m 256M -smp 4 -object memory-backend-ram,id=m0,size=128M
	-object memory-backend-ram,id=m1,size=128M
	-numa node,memdev=m0,cpus=0-1 -numa node,memdev=m1,cpus=2-3)
dump riscv qemu-system-riscv64 virt -m 128M
dump riscv-numa qemu-system-riscv64 virt "${numa[@]}"
dump arm64 qemu-system-aarch64 virt -cpu cortex-a76 -m 128M
dump arm64-numa qemu-system-aarch64 virt -cpu max "${numa[@]}"

good=0 bad=0
for variant in lab1-debug lab2-debug lab2; do
	echo "# $variant"
	timeout -s KILL 60 "$out/$variant" "$seed" "${trees[@]}" >"$out/log" 2>&1
	status=$?
	grep -v ' passed, ' "$out/log"
	good=$((good + $(grep -c '^ok ' "$out/log")))
	bad=$((bad + $(grep -c '^not ok ' "$out/log")))
	tail -n 1 "$out/log" | grep -q ' passed, ' && continue
	echo "# $variant died with status $status; replay with: tests/phys/run.sh $seed"
	bad=$((bad + 1))
done
echo "$good passed, $bad failed"
[ "$bad" = 0 ]
