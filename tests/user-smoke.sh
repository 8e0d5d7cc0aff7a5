#!/usr/bin/env bash
# Run the user programs under QEMU's user-mode emulation, on both machines, without our kernel: they
# speak Linux's system calls. Checks the shell's semantics and what each program prints.
#
# about: the shell and every program behave as specified, under user-mode emulation
# needs: riscv arm64
# timeout: 300
#
# usage: tests/user-smoke.sh [riscv|arm64]...		BUILD=dir as for make
# Ends with "N passed, N failed"; status 1 if anything failed. Skipped without qemu-user.

cd "$(dirname "$0")/.." || exit 2
BUILD=${BUILD:-build}
machines=("$@")
[ ${#machines[@]} -eq 0 ] && machines=(riscv arm64)

passed=0
failed=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Programs start each other through execve, which knows nothing of QEMU, so PATH leads to wrappers.
make_wrappers() {
	local arch=$1 qemu=$2 prog name
	mkdir -p "$scratch/$arch"
	for prog in "$BUILD/$arch/user/bin"/*; do
		name=${prog##*/}
		printf '#!/bin/sh\nexec %s -0 %s %s "$@"\n' "$qemu" "$name" "$(realpath "$prog")" \
			>"$scratch/$arch/$name"
		chmod +x "$scratch/$arch/$name"
	done
}

# t NAME COMMAND EXPECTED [STATUS]: run COMMAND in our sh; output and messages, and status, must match.
t() {
	local name=$1 command=$2 want=$3 want_status=${4:-0} got status
	got=$(cd "$scratch/work" && timeout -s KILL 20 env -i PATH="$scratch/$arch" HOME=/ \
		"$scratch/$arch/sh" -c "$command" 2>&1 </dev/null)
	status=$?
	rm -rf "${scratch:?}/work" && mkdir "$scratch/work"
	if [ "$got" = "$want" ] && [ "$status" = "$want_status" ]; then
		passed=$((passed + 1))
		return
	fi
	failed=$((failed + 1))
	printf 'FAIL %s: %s\n  command:  %s\n  expected: %q (status %s)\n  got:      %q (status %s)\n' \
		"$arch" "$name" "$command" "$want" "$want_status" "$got" "$status"
}

# script NAME TEXT EXPECTED [STATUS]: the same with TEXT as a file that sh runs.
script() {
	printf '%s\n' "$2" >"$scratch/work/script"
	t "$1" 'sh script one "two three"' "$3" "$4"
}

shell_tests() {
	t 'words and quotes' 'echo a  b "c  d" '"'e  f'"' g\ \ h' 'a b c  d e  f g  h'
	t 'empty quotes are words' 'for i in "" a '"''"'; do echo "[$i]"; done' $'[]\n[a]\n[]'
	t 'backslash in double quotes' 'echo "\$x \"q\" \a"' '$x "q" \a'
	t 'comment' 'echo a # b; echo c' 'a'
	t 'hash inside a word' 'echo a#b' 'a#b'
	t 'joined line' $'echo a\\\nb' 'ab'
	t 'sequence' 'echo a; echo b' $'a\nb'
	t 'and, or' 'true && echo a || echo b; false && echo c || echo d' $'a\nd'
	t 'not' '! true; echo $?; ! false; echo $?' $'1\n0'
	t 'variable' 'X=5; echo $X ${X}y "$X" '"'\$X'" '5 5y 5 $X'
	t 'fields split' 'X="a  b"; for i in $X; do echo [$i]; done; for i in "$X"; do echo "[$i]"; done' \
		$'[a]\n[b]\n[a  b]'
	t 'defaults' 'echo ${X:-d} ${X-e} ${X:=f} $X ${X:+g} ${#X}' 'd e f f g 1'
	t 'nested default' 'echo ${X:-${Y:-deep}}' 'deep'
	t 'unset' 'X=1; unset X; echo "[$X]"' '[]'
	t 'not exported' 'X=1; sh -c "echo [\$X]"' '[]'
	t 'exported' 'export X=1; sh -c "echo [\$X]"' '[1]'
	t 'one command only' 'X=1 sh -c "echo \$X"; echo "[$X]"' $'1\n[]'
	t 'assignment keeps blanks' 'X="a  b"; Y=$X; echo "$Y"' 'a  b'
	t 'status' 'false; echo $?; true; echo $?; sh -c "exit 7"; echo $?' $'1\n0\n7'
	t 'exit' 'exit 3; echo no' '' 3
	t 'exit with the last status' 'false; exit' '' 1
	t 'not found' 'nosuch; echo $?' $'sh: nosuch: not found\n127'
	t 'no such path' './nosuch' 'sh: ./nosuch: No such file or directory' 127
	t 'a directory is no command' '/; echo $?' $'sh: /: Is a directory\n126'
	t 'not executable' 'echo x >plain; ./plain; echo $?' $'sh: ./plain: Permission denied\n126'
	t 'killed by a signal' 'sh -c "kill -KILL \$\$"; echo $?' $'Killed\n137'
	t 'process id' 'test $$ -gt 0 && echo yes' 'yes'
	t 'pipe' 'echo a | cat | cat' 'a'
	t 'status of a pipe' 'false | true; echo $?; true | false; echo $?' $'0\n1'
	t 'pipe into a group' 'echo a b | { read X Y; echo $Y $X; }' 'b a'
	t 'pipe across lines' $'echo a |\ncat' 'a'
	t 'broken pipe ends the writer' 'seq 1000000 | head -n 1' '1'
	t 'redirect out, in' 'echo a >f; cat <f; cat < f' $'a\na'
	t 'append' 'echo a >f; echo b >>f; cat f' $'a\nb'
	t 'errors apart' 'cat nosuch 2>e; cat e' 'cat: nosuch: No such file or directory'
	t 'errors along' 'cat nosuch 2>&1 | wc -l' '1'
	t 'order of redirections' 'sh -c "echo o; echo e >&2" 2>&1 >/dev/null' 'e'
	t 'close' 'echo a >&-; echo $?' $'echo: write error: Bad file descriptor\n1'
	t 'redirected builtin' 'pwd >f; cd /; cd - >/dev/null; test -s f && echo yes' 'yes'
	t 'redirected group' '{ echo a; echo b; } >f; cat f' $'a\nb'
	t 'redirected loop' 'for i in 1 2; do echo $i; done >f; cat f' $'1\n2'
	t 'bare redirection' '>empty; wc -c empty' '0 empty'
	t 'missing input file' 'cat <nosuch; echo $?' $'sh: nosuch: No such file or directory\n1'
	t 'subshell' 'X=1; (X=2; cd /; exit 4); echo $? $X' '4 1'
	t 'background and wait' 'sleep 0.2 & wait; echo done' 'done'
	t 'status of a background command' 'sh -c "exit 5" & wait $!; echo $?' '5'
	t 'wait for a stranger' 'wait 999999; echo $?' '127'
	t 'substitution' 'echo $(echo a; echo b) "$(echo a; echo b)"' $'a b a\nb'
	t 'nested substitution' 'echo $(echo $(echo ")"))' ')'
	t 'status of a substitution' 'X=$(exit 3); echo $?' '3'
	t 'if' 'if false; then echo a; elif true; then echo b; else echo c; fi' 'b'
	t 'while' 'X=; while test "$X" != aaa; do X=a$X; done; echo $X' 'aaa'
	t 'until' 'X=; until test -n "$X"; do X=1; done; echo $X' '1'
	t 'for, break, continue' \
		'for i in 1 2 3 4; do if [ $i = 2 ]; then continue; fi; if [ $i = 4 ]; then break; fi; echo $i; done' \
		$'1\n3'
	t 'break two loops' 'for i in 1 2; do for j in 1 2; do echo $i$j; break 2; done; done; echo end' $'11\nend'
	t 'lines inside constructs' $'for i in 1 2\ndo\necho $i\ndone\nif true\nthen echo x\nfi' $'1\n2\nx'
	t 'glob star' 'touch g1 g2 h; echo g*; rm g1 g2 h' 'g1 g2'
	t 'glob question, set' 'touch g1 g2 g30; echo g? g[2-9]; rm g1 g2 g30' 'g1 g2 g2'
	t 'glob inside a path' 'mkdir -p d/x d/y; touch d/x/f d/y/f; echo d/*/f; rm -r d' 'd/x/f d/y/f'
	t 'glob without a match' 'echo nosuch*' 'nosuch*'
	t 'quoted glob' 'touch g1; echo "g*" g\*; rm g1' 'g* g*'
	t 'hidden files' 'touch .hid vis; echo * | grep -c hid; echo .h*; rm .hid vis' $'0\n.hid'
	t 'test' '[ 2 -gt 1 ] && [ a = a ] && [ a != b ] && [ -n x ] && [ -z "" ] && [ ! -e nosuch ] && echo ok' 'ok'
	t 'eval' 'X="echo a; echo b"; eval "$X"' $'a\nb'
	t 'exec' 'exec echo replaced; echo no' 'replaced'
	t 'exec with redirection only' 'exec >f; echo a; cat f >&2' 'a'
	t 'set -e' 'set -e; false || true; if false; then :; fi; echo a; false; echo b' 'a' 1
	t 'set -x' 'set -x; echo a b' $'+ echo a b\na b'
	t 'syntax error' 'echo a; )' "sh: syntax error: unexpected ')'" 2
	t 'open quote' 'echo "a' 'sh: syntax error: unterminated quote' 2
	t 'open construct' 'if true; then echo a' 'sh: syntax error: unexpected end of input' 2
	t 'arguments of -c' 'sh -c "echo \$0 \$1 \$#" name x y' 'name x 2'
	t 'script on standard input' 'echo "echo a; cat; echo c" >s; { cat s; echo b; } | sh' $'a\nb\nc'
	t 'shell exit status from a missing script' 'sh nosuch; echo $?' \
		$'sh: nosuch: No such file or directory\n127'
	script 'script arguments' 'echo $# $1 "$2"; for a in "$@"; do echo "[$a]"; done; shift; echo $1' \
		$'2 one two three\n[one]\n[two three]\ntwo three'
	script 'script with an interpreter line' $'#!/bin/sh\necho ok\nexit 9' 'ok' 9
	t 'long pipeline' 'echo x | cat | cat | cat | cat | cat | cat | cat | cat | cat' 'x'
	t 'many arguments' 'set -- $(seq 2000); echo $#' '2000'
}

program_tests() {
	t 'echo -n' 'echo -n a; echo b' 'ab'
	t 'cat several' 'echo a >f1; echo b >f2; cat f1 nosuch f2; echo $?; rm f1 f2' \
		$'a\ncat: nosuch: No such file or directory\nb\n1'
	t 'ls' 'mkdir l; touch l/b l/a l/.h; ls l; ls -a l; ls -A l; ls nosuch; echo $?; rm -r l' \
		$'a\nb\n.\n..\n.h\na\nb\n.h\na\nb\nls: nosuch: No such file or directory\n1'
	t 'ls -l' 'mkdir l; echo hello >l/f; ln -s f l/s; ls -l l | wc -l; ls -l l/f | grep -c "^-rw.* 1 .* 6 "; ls -l l | grep -c -- "s -> f$"; rm -r l' \
		$'2\n1\n1'
	t 'ls -R' 'mkdir -p l/m; touch l/m/f; ls -R l; rm -r l' $'l:\nm\n\nl/m:\nf'
	t 'ls -d, -F, operands before options' 'mkdir l; ls l -d -F; rmdir l' 'l/'
	t 'mkdir' 'mkdir a/b; mkdir -p a/b/c a/b; ls a; mkdir a; echo $?; rm -r a' \
		$'mkdir: a/b: No such file or directory\nb\nmkdir: a: File exists\n1'
	t 'rmdir' 'mkdir -p a/b; rmdir a; rmdir a/b a; ls a' \
		$'rmdir: a: Directory not empty\nls: a: No such file or directory' 1
	t 'rm' 'touch f; mkdir a; rm f; rm f; rm -f f; rm a; rm -r a; echo $?' \
		$'rm: f: No such file or directory\nrm: a: Is a directory\n0'
	t 'ln' 'echo x >f; ln f g; ln -s f s; cat g s; ln f g; ln -sf g s; cat s; rm f g s' \
		$'x\nx\nln: g: File exists\nx'
	t 'mv' 'echo x >f; mv f g; cat g; mkdir d; mv g d; cat d/g; mv nosuch d; rm -r d' \
		$'x\nx\nmv: nosuch to d/nosuch: No such file or directory'
	t 'cp' 'echo x >f; cp f g; cmp f g && echo same; mkdir d; cp f g d; ls d; cp d e; cp -r d e; ls e; cp f f; rm -r f g d e' \
		$'same\nf\ng\ncp: d: is a directory (use -r)\nf\ng\ncp: f and f are the same file'
	t 'cp -r into itself' 'mkdir d; touch d/f; cp -r d d; ls d; rm -r d' \
		$'cp: d: cannot copy a directory into itself\nd\nf'
	t 'grep' 'seq 20 >f; grep 1.$ f | tail -n 1; grep -c 1 f; grep -v 1 f | head -n 2; grep -n 20 f; grep -q x f; echo $?' \
		$'19\n11\n2\n3\n20:20\n1'
	t 'grep expressions' 'echo "foo bar" >g; grep "^fo*.ba[q-s]$" g; grep -i FOO g; grep "x*" g; grep "[^a-z ]" g; grep -F "o b" g; grep "o\+ b" g' \
		$'foo bar\nfoo bar\nfoo bar\nfoo bar\nfoo bar'
	t 'grep files' 'echo a >g1; echo b >g2; grep a g1 g2; grep -l b g1 g2; grep a nosuch; echo $?; grep "[" g1; echo $?' \
		$'g1:a\ng2\ngrep: nosuch: No such file or directory\n2\ngrep: unmatched [ in \'[\'\n2'
	t 'wc' 'echo a b c >f; wc f; wc -l <f; wc -w f; wc -c f; rm f' $'      1       3       6 f\n1\n3 f\n6 f'
	t 'head' 'seq 20 | head | tail -n 1; seq 5 | head -2; seq 5 | head -c 3' $'10\n1\n2\n1\n2'
	t 'tail' 'seq 20 | tail | head -n 1; seq 5 | tail -2; seq 5 | tail -n +4; seq 3 | tail -n 9' \
		$'11\n4\n5\n4\n5\n1\n2\n3'
	t 'tail without a last newline' '{ seq 3; echo -n 4; } | tail -n 2' $'3\n4'
	t 'sort' 'seq 12 | sort | head -n 3; seq 12 | sort -nr | head -n 1; { seq 3; seq 3; } | sort -u | wc -l' \
		$'1\n10\n11\n12\n3'
	t 'seq' 'seq 3; seq 2 4; seq 5 -2 1' $'1\n2\n3\n2\n3\n4\n5\n3\n1'
	t 'tee' 'echo a | tee t1 t2; cat t1 t2; echo b | tee -a t1 >/dev/null; cat t1' $'a\na\na\na\nb'
	t 'cmp' 'echo a >x; echo b >y; cmp x y; echo $?; cmp -s x x; echo $?; cmp x nosuch; echo $?' \
		$'x y differ: byte 1, line 1\n1\n0\ncmp: nosuch: No such file or directory\n2'
	t 'dd' 'dd if=/dev/zero of=z bs=1k count=3 status=none; wc -c z; dd if=z of=z seek=4 bs=1k count=1 conv=notrunc status=none; wc -c z; dd if=z bs=1 count=0; rm z' \
		"$(printf '3072 z\n5120 z\n0+0 records\n0 bytes copied, 0.000 s')"
	t 'hexdump' 'echo hello | hexdump -C' \
		$'00000000  68 65 6c 6c 6f 0a                                 |hello.|\n00000006'
	t 'hexdump repeats' 'dd if=/dev/zero bs=64 count=1 status=none | hexdump | wc -l' '3'
	t 'touch' 'touch a; ls a; touch -c b; ls b; rm a' $'a\nls: b: No such file or directory'
	t 'stat' 'echo abc >s; stat s | grep -c "Size: 4 .*regular file"; stat nosuch; rm s' \
		$'1\nstat: nosuch: No such file or directory'
	t 'env' 'export C=3; env -i "PATH=$PATH" A=1 env | grep "^[AC]="; env -u C env | grep -c ^C=; env nosuch; echo $?' \
		$'A=1\n0\nenv: nosuch: No such file or directory\n127'
	t 'env prints' 'X=marker env | grep ^X=' 'X=marker'
	t 'pwd' 'cd /; pwd; sh -c pwd; env pwd' $'/\n/\n/'
	t 'kill' 'sleep 10 & kill $!; wait $!; echo $?; kill -s FOO 1; echo $?; kill 999999; echo $?' \
		$'143\nkill: unknown signal: \'FOO\'\n2\nkill: 999999: No such process\n1'
	t 'sleep' 'sleep 0.01; echo $?; sleep x; echo $?' $'0\nsleep: bad number of seconds: \'x\'\n2'
	t 'uname' 'uname -s; uname -m | wc -l' $'Linux\n1'
	t 'true, false' 'env true; echo $?; env false; echo $?' $'0\n1'
	t 'date' 'date +%Y-%m-%d | grep -c "^20[0-9][0-9]-[01][0-9]-[0-3][0-9]$"' '1'
	t 'free' 'free | grep -c "^Mem: "' '1'
	t 'uptime' 'uptime | grep -c " up "' '1'
	t 'ps' 'ps | head -n 1 | grep -c PID; test $(ps | wc -l) -gt 1 && echo yes' $'1\nyes'
	t 'df' 'df . | wc -l' '2'
	t 'mount' 'mount | grep -c "type proc"' '1'
	t 'mkswap' 'dd if=/dev/zero of=s bs=4k count=20 status=none; mkswap s | head -n 1; mkswap -L pool s | grep -c "^LABEL=pool, UUID=........-....-4...-"; dd if=s bs=1 skip=1024 count=12 status=none | hexdump -C | head -n 1; dd if=s bs=1 skip=4086 count=10 status=none; echo' \
		$'Setting up swapspace version 1, size = 76 KiB (77824 bytes)\n1\n00000000  01 00 00 00 13 00 00 00  00 00 00 00              |............|\nSWAPSPACE2'
	t 'mkswap refuses' 'dd if=/dev/zero of=s bs=4k count=9 status=none; mkswap s; echo $?; mkswap nosuch; mkswap 2>/dev/null; echo $?; rm s' \
		$'mkswap: error: swap area needs to be at least 40 KiB\n1\nmkswap: cannot open nosuch: No such file or directory\n2'
	t 'swapon, swapoff' 'swapon nosuch 2>&1 | grep -c "^swapon: nosuch: swapon failed: "; swapoff 2>/dev/null; echo $?; swapoff nosuch 2>/dev/null; echo $?; swapon -p 40000 x; echo $?' \
		$'1\n2\n1\nswapon: bad priority: \'40000\'\n2'
	t 'memhog' 'memhog 1m; memhog -v -r 3 2m | tail -n 1; memhog 0 2>/dev/null; echo $?' $'.\nmemhog: 512 pages verified\n2'
	t 'vmstat' 'vmstat 1 2 | wc -l; vmstat | head -n 2 | tail -n 1; vmstat -s | grep -c " [KCa-zA-Z-]"; vmstat 0 2>/dev/null; echo $?' \
		$'4\n r  b   swpd   free   buff  cache   si   so    bi    bo   in   cs us sy id wa st\n26\n2'
	t 'top' 'top -b -n 1 >t; grep -c "^Tasks: .* total" t; grep -c "^MiB Swap: .* used" t; grep -c "PID USER .*%CPU  %MEM" t; rm t; top -n 0 2>/dev/null; echo $?' $'1\n1\n1\n2'
	t 'sync' 'sync nosuch' 'sync: nosuch: No such file or directory' 1
	t 'init is process 1' 'init; echo $?' $'init: must be process 1\n1'
	t 'write error' 'echo a >/dev/full; echo $?' $'echo: write error: No space left on device\n1'
	t 'unknown option' 'uname -Z 2>&1 | head -n 1; uname -Z 2>/dev/null; echo $?' $'uname: unknown option -- \'Z\'\n2'
	t 'the C library' 'libtest | grep -v " 0 failed"' '' 1
	local prog
	for prog in "$scratch/$arch"/*; do
		case ${prog##*/} in usertests | fuzz) continue ;; esac
		t "${prog##*/} --help" "env ${prog##*/} --help | head -n 1 | grep -c '^usage: ${prog##*/}'" '1'
	done
}

for arch in "${machines[@]}"; do
	case $arch in
	riscv) qemu=qemu-riscv64 ;;
	arm64) qemu=qemu-aarch64 ;;
	*) echo "unknown machine '$arch'"; exit 2 ;;
	esac
	if ! qemu_path=$(command -v "$qemu"); then
		echo "SKIP $arch: $qemu is not installed (Debian package qemu-user)"
		continue
	fi
	if [ ! -e "$BUILD/$arch/user/bin/sh" ]; then
		echo "FAIL $arch: $BUILD/$arch/user/bin/sh is missing; run make ARCH=$arch user"
		failed=$((failed + 1))
		continue
	fi
	make_wrappers "$arch" "$qemu_path"
	mkdir -p "$scratch/work"
	shell_tests
	program_tests
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
