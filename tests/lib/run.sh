#!/usr/bin/env bash
# Host tests of kernel/lib under ASan and UBSan: tests/lib/run.sh [SEED].
# BUILD (default build) is where the binary and QEMU's device trees go, CC the host's compiler.
# Ends with "N passed, N failed"; exit status 0 when none failed.
set -u
cd "$(dirname "$0")/../.." || exit 2
seed=${1:-1}
out=${BUILD:-build}/host/lib-test
mkdir -p "$out"

flags=(-std=gnu11 -O1 -g -ffreestanding -fno-omit-frame-pointer -Wall -Wextra -Werror
	-Wno-format -fsanitize=address,undefined -fno-sanitize-recover=all
	-include tests/lib/rename.h -I kernel -I tests/lib)
if ! "${CC:-gcc}" "${flags[@]}" -o "$out/lib-test" kernel/lib/*.c tests/hosted/test.c tests/lib/*.c; then
	echo "# kernel/lib or its tests do not compile"
	echo "0 passed, 1 failed"
	exit 1
fi

# dump NAME QEMU MACHINE [OPTION...]: QEMU writes the machine's tree and exits.
trees=()
dump() {
	local name=$1 qemu=$2 machine=$3
	shift 3
	command -v "$qemu" >/dev/null || { echo "# no $qemu: its trees are left out"; return; }
	rm -f "$out/$name.dtb"
	timeout -s KILL 20 "$qemu" -machine "$machine,dumpdtb=$out/$name.dtb" -display none \
		-serial null -monitor none -nic none "$@" </dev/null >"$out/$name.log" 2>&1
	if [ -s "$out/$name.dtb" ]; then
		trees+=("$out/$name.dtb")
	else
		echo "# $qemu wrote no tree for $name: see $out/$name.log"
	fi
}
numa=(-m 256M -smp 4 -object memory-backend-ram,id=m0,size=128M -object memory-backend-ram,id=m1,size=128M
	-numa node,memdev=m0,cpus=0-1 -numa node,memdev=m1,cpus=2-3)
dump riscv-1 qemu-system-riscv64 virt -smp 1
dump riscv-numa qemu-system-riscv64 virt "${numa[@]}"
dump arm64-gicv2 qemu-system-aarch64 virt,gic-version=2 -cpu cortex-a76 -smp 2
dump arm64-gicv3 qemu-system-aarch64 virt,gic-version=3 -cpu max "${numa[@]}"

timeout -s KILL 60 "$out/lib-test" "$seed" "${trees[@]}" >"$out/log" 2>&1
status=$?
cat "$out/log"
if ! tail -n 1 "$out/log" | grep -q ' passed, '; then
	echo "# lib-test died with status $status; replay with: tests/lib/run.sh $seed"
	echo "$(grep -c '^ok ' "$out/log") passed, $(($(grep -c '^not ok ' "$out/log") + 1)) failed"
	exit 1
fi
exit $status
