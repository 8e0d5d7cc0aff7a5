# The only door. `make help` lists every command; the rules live in tools/make/.

ARCH    ?= riscv
LABS    := 1 2 3 4 5
LAB     ?= $(lastword $(LABS))
CPUS    ?= 4
MEM     ?= 256M
PAGING  ?=
GIC     ?= 3
NODES   ?=
SLAB    ?=
HARDENED ?= 0
SLUB_STATS ?= 0
DISK    ?=
SWAP    ?=
DEBUG   ?= 0
KASAN   ?= 0
UBSAN   ?= 0
LLVM    ?= 0
ICOUNT  ?= 0
VERBOSE ?= 0
TIMEOUT ?= 120
APPEND  ?=
BASE    ?=
BUILD   ?= build
V       ?= 0
T       ?=
N       ?=
NAME    ?=
JOBS    ?= 2
PYTHON  ?= $(firstword $(wildcard /usr/bin/python3) python3)

$(if $(filter-out reference,$(BASE)),$(error BASE='$(BASE)' is not valid; use BASE=reference, or leave it out))
HANDOUT := $(wildcard labs/HANDOUT)

MAKEFLAGS += --no-builtin-rules --no-builtin-variables
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc)
endif
.SUFFIXES:
.DELETE_ON_ERROR:
Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),@:,@printf '  %-7s %s\n' $(1) $(2))

.PHONY: all help qemu run gdb doctor test campaign bench ktest host-test grade handout mutants new-lab clean clean-disk kernel user images FORCE
all: kernel images

# Goals that need neither a valid configuration nor a compiler; goals that need only the host's.
DOORBELL := help doctor clean test campaign grade handout mutants new-lab
HOST_GOALS := host-test host-test-build host-test-base host-test-student fuzz-host fuzz-run
ifneq ($(filter $(HOST_GOALS),$(MAKECMDGOALS)),)
include tools/make/stamp.mk
include tools/make/host-test.mk
endif
ifneq ($(filter-out $(DOORBELL) $(HOST_GOALS),$(or $(MAKECMDGOALS),all)),)
include tools/make/stamp.mk
include tools/make/config.mk
include tools/make/kernel.mk
include tools/make/user.mk
include tools/make/images.mk
ifneq ($(filter ktest ktest-% boot-%,$(MAKECMDGOALS)),)
include tools/make/ktest.mk
include tools/make/boot.mk
endif
endif

# ---- boot -------------------------------------------------------------------------------------

MACHINE = --arch $(ARCH) --cpus $(CPUS) --mem $(MEM) --gic $(GIC) --build $(O) \
	$(if $(PAGING),--paging $(PAGING)) $(if $(NODES),--nodes $(NODES)) \
	$(if $(DISK),--disk '$(DISK)') $(if $(SWAP),--swap '$(SWAP)') $(if $(filter 1,$(ICOUNT)),--icount) \
	$(if $(filter 1,$(VERBOSE)),--verbose) $(if $(APPEND),--append '$(APPEND)')

qemu: kernel images
	@$(PYTHON) tools/run $(MACHINE) --interactive

# $(value CMD): the command reaches the guest as typed, `$?` and all.
run: export STRATA_CMD = $(value CMD)
run: kernel images
	@$(PYTHON) tools/run $(MACHINE) --timeout $(TIMEOUT)

gdb: kernel images
	@$(PYTHON) tools/run $(MACHINE) --gdb

doctor:
	@$(PYTHON) tools/doctor

# ---- check ------------------------------------------------------------------------------------

# What only the instructor's tree has.
ours = $(if $(HANDOUT),@echo 'make $@: not in a student'"'"'s tree' >&2; exit 2)

test:
	$(ours)
	@BUILD='$(abspath $(BUILD))' $(PYTHON) tests/run-tests --jobs $(JOBS) $(if $(T),'$(T)')

campaign:
	$(ours)
	@BUILD='$(abspath $(BUILD))' $(PYTHON) tests/run-tests --campaign --jobs $(JOBS) $(if $(T),'$(T)')

# Both machines, whatever ARCH says: what is to be measured (tools/bench --help), and each kernel for it.
BENCH ?= boot pages objects
bench-build = $(foreach a,riscv arm64,$(MAKE) --no-print-directory ARCH=$(a) PAGING= $(1) &&) :
bench:
	@$(if $(filter-out host,$(BENCH)),$(call bench-build,kernel images))
	@$(if $(filter scaling,$(BENCH)),$(call bench-build,SLUB_STATS=1 kernel))
	@$(if $(filter lines memory smallest,$(BENCH)),$(foreach s,page slab slob,$(call bench-build,SLAB=$(s) kernel) &&) :)
	@$(PYTHON) tools/bench --build '$(BUILD)' --variant='$(variant)' $(if $(JSON),--json '$(JSON)') $(BENCH)

# ---- grade ------------------------------------------------------------------------------------

grade:
	@BUILD='$(abspath $(BUILD))' $(PYTHON) grading/grade --lab $(LAB) $(if $(JSON),--json '$(JSON)') \
		$(if $(JUNIT),--junit '$(JUNIT)') $(if $(filter 1,$(SANDBOX)),--sandbox) \
		$(if $(SEED),--seed $(SEED)) '$(or $(TREE),.)'

handout:
	$(ours)
	@$(if $(OUT),,echo 'make handout: say where: OUT=dir' >&2; exit 2)
	@BUILD='$(abspath $(BUILD))' $(PYTHON) grading/handout --out '$(OUT)'

mutants:
	$(ours)
	@BUILD='$(abspath $(BUILD))' $(PYTHON) grading/mutants --lab $(LAB) --jobs $(JOBS) \
		$(if $(JSON),--json '$(JSON)') $(if $(filter 1,$(FULL)),--full) $(M)

new-lab:
	$(ours)
	@$(if $(and $(N),$(NAME)),,echo 'make new-lab: say which: N=6 NAME=runs' >&2; exit 2)
	@$(PYTHON) grading/new-lab --number '$(N)' --name '$(NAME)'

# ---- tidy -------------------------------------------------------------------------------------

clean:
	rm -rf $(BUILD) compile_commands.json

clean-disk:
	rm -f $(O)/disk.img

help:
	@cat tools/make/help.txt
