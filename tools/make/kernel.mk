# The kernel: every source under kernel/ but the other architectures and the other stages.
# A kernel/Makefile.inc may add to KERNEL_EXCLUDE (paths below kernel/).

-include kernel/Makefile.inc

# What each stage links of the files that not all have; those of the other stages stay out.
BUDDY_SRC := mm/phys/buddy.c mm/phys/pcp.c mm/phys/zonelist.c
FIFO_SRC  := mm/reclaim/fifo.c proc/nomem.c
LAB_SRC_1 := mm/phys/freelist.c mm/phys/zonelist_stub.c $(FIFO_SRC)
LAB_SRC_2 := $(BUDDY_SRC) $(FIFO_SRC)
LAB_SRC_3 := $(LAB_SRC_2)
LAB_SRC_4 := $(LAB_SRC_2)
LAB_SRC_5 := $(BUDDY_SRC) $(addprefix mm/reclaim/,lru.c workingset.c vmscan.c reclaim.c oom.c oom_report.c) \
	$(addprefix test/,bench_reclaim.c selftest_reclaim.c) proc/oom_tasks.c proc/oom_files.c fs/proc_reclaim.c
LAB_SRC   := $(sort $(foreach n,$(LABS),$(LAB_SRC_$(n))))

# Of the allocators of small objects, one.
SLAB_SRC   := $(addprefix mm/slab/,page_backend.c slab.c slub.c slub_cache.c slub_debug.c slob.c keep_nothing.c)
SLAB_OTHER := $(filter-out mm/slab/$(SLAB).c mm/slab/$(SLAB)_%.c \
	$(if $(filter page slob,$(SLAB)),mm/slab/keep_nothing.c),$(SLAB_SRC))

# The runtimes of the sanitizers that this build is without.
SANITIZER_OTHER := $(if $(filter 1,$(KASAN)),,debug/kasan.c mm/vm/kasan_map.c mm/slab/kasan_slab.c) \
	$(if $(filter 1,$(UBSAN)),,debug/ubsan.c)

KERNEL_SRC := $(shell find kernel -name '*.[cS]' ! -name '*.lds.S' 2>/dev/null | sort)
KERNEL_SRC := $(filter-out $(foreach a,$(filter-out $(ARCH),riscv arm64 host),kernel/arch/$(a)/%),$(KERNEL_SRC))
KERNEL_SRC := $(filter-out $(addprefix kernel/,$(filter-out $(LAB_SRC_$(LAB)),$(LAB_SRC)) $(SLAB_OTHER) $(SANITIZER_OTHER) $(KERNEL_EXCLUDE)),$(KERNEL_SRC))
KERNEL_OBJ := $(addprefix $(O)/,$(addsuffix .o,$(basename $(KERNEL_SRC))))

# BASE=reference: what the labs below own is the reference's. A student's tree has it as objects, with
# the same options but for debugging information; in the instructor's tree the sources are the reference.
PREBUILT := prebuilt/lab$(LAB)/$(ARCH)
ifeq ($(BASE),reference)
BELOW       := $(PREBUILT)/below$(if $(filter 1,$(DEBUG)),-debug)$(if $(filter 1,$(KASAN)),-kasan)$(if $(filter 1,$(UBSAN)),-ubsan)
$(if $(wildcard $(BELOW)),,$(if $(wildcard $(PREBUILT)/below),$(error BASE=reference: there are no ready-made objects \
	for this mixture of DEBUG, KASAN and UBSAN; leave one out)))
BELOW_READY := $(shell test -d $(BELOW) && cd $(BELOW) && find kernel -name '*.o')
KERNEL_OBJ  := $(filter-out $(addprefix $(O)/,$(BELOW_READY)),$(KERNEL_OBJ)) $(addprefix $(BELOW)/,$(BELOW_READY))
endif

KERNEL_LDS := kernel/arch/$(ARCH)/kernel.lds.S

KCPPFLAGS := -nostdinc -isystem $(CC_INCLUDE) -I kernel -I kernel/arch/$(ARCH)/include \
	-D__KERNEL__ -DCONFIG_ARCH_$(if $(filter riscv,$(ARCH)),RISCV,ARM64)=1 -DCONFIG_LAB=$(LAB) \
	-DCONFIG_SLAB_$(shell echo $(SLAB) | tr a-z A-Z)=1 \
	$(if $(filter 1,$(DEBUG)),-DCONFIG_DEBUG=1) $(if $(filter 1,$(HARDENED)),-DCONFIG_SLUB_HARDENED=1) \
	$(if $(filter 1,$(SLUB_STATS)),-DCONFIG_SLUB_STATS=1) \
	$(if $(filter 1,$(KASAN)),-DCONFIG_KASAN=1) $(if $(filter 1,$(UBSAN)),-DCONFIG_UBSAN=1)
# DEBUGINFO=0: built and linked faster (the grader). WERROR=0: a warning is no error (a pipeline, which shows it).
KCFLAGS := -std=gnu11 -O2 $(if $(filter 0,$(DEBUGINFO)),,-g) -Wall -Wextra $(if $(filter 0,$(WERROR)),,-Werror) -ffreestanding -fno-omit-frame-pointer \
	-fno-strict-aliasing -fno-common -fno-pic -fno-pie -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fwrapv $(ARCH_FLAGS_$(ARCH)) $(KCPPFLAGS)
# gcc would turn the loop inside memset() into a call of memset().
KCFLAGS += $(if $(filter 0,$(LLVM)),-fno-tree-loop-distribute-patterns)
# ld warns about the mapping of an ELF file that nobody loads: the page tables are the kernel's own.
LD_QUIET := $(shell $(LD) --help 2>/dev/null | grep -om1 -e --no-warn-rwx-segments)
# Builds for finding bugs carry the table of source lines; version 4 is the one whose paths objdump prints.
KLINES := $(filter 1,$(DEBUG) $(KASAN) $(UBSAN))
KSYMS_LINES = $(if $(KLINES),--lines $< --objdump $(OBJDUMP))
KCFLAGS += $(if $(KLINES),-gdwarf-4)
KCC_C = $(CC) $(KCFLAGS) $(MARCH_C_$(ARCH))
KCC_S = $(CC) $(KCFLAGS) $(MARCH_S_$(ARCH)) -D__ASSEMBLY__
KLD   = $(LD) -nostdlib -static --build-id=none -z max-page-size=4096 -z noexecstack \
	$(if $(filter riscv,$(ARCH)),--no-relax) $(LD_QUIET)

# For the grader: this code has been through the compiler's warnings, which take a tenth of its time, and
# what it optimises is not measured. The files under test are compiled as ever (ktest.mk, boot.mk).
ifeq ($(DEBUGINFO),0)
$(KERNEL_OBJ): KCFLAGS := $(patsubst -O2,-O1,$(filter-out -Wall -Wextra -Werror,$(KCFLAGS))) -w
endif

# Sanitizers.
KASAN_FLAGS := -fsanitize=kernel-address -fasan-shadow-offset=0xdfffffff00000000 --param asan-stack=1 \
	--param asan-globals=1 --param asan-instrumentation-with-call-threshold=0
UBSAN_FLAGS := -fsanitize=bounds,shift,integer-divide-by-zero,null,bool,enum,unreachable,return,vla-bound,object-size
SANITIZE := $(if $(filter 1,$(KASAN)),$(KASAN_FLAGS)) $(if $(filter 1,$(UBSAN)),$(UBSAN_FLAGS))
SANITIZE += $(if $(strip $(SANITIZE)),-Wno-array-bounds -Wno-maybe-uninitialized)	# gcc sees its own checks

kernel: $(O)/Image

$(eval $(call stamp,$(O)/.kernel-flags,$(KCC_C) $(SANITIZE)))
$(eval $(call stamp,$(O)/.kernel-objects,$(KLD) $(KERNEL_OBJ)))

$(O)/kernel/%.o: kernel/%.c $(O)/.kernel-flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(KCC_C) -MMD -MP -c -o $@ $<

# Without checks: the runtimes themselves, and what may touch memory that nobody else may.
UNWINDER_riscv := arch/riscv/traps
UNWINDER_arm64 := arch/arm64/debug
NO_SANITIZE := $(patsubst %,$(O)/kernel/%.o,lib/mem base/panic base/symbols debug/kasan debug/ubsan mm/vm/kasan_map \
	mm/phys/page_fast $(UNWINDER_$(ARCH))) $(O)/kernel/mm/slab/%.o
ifneq ($(strip $(SANITIZE)),)
$(filter-out $(NO_SANITIZE),$(KERNEL_OBJ)): KCFLAGS += $(SANITIZE)
endif

# Leaf functions that must be short: the file says why it can do without frames.
$(O)/kernel/mm/phys/page_fast.o: KCFLAGS += -fomit-frame-pointer

$(O)/kernel/%.o: kernel/%.S $(O)/.kernel-flags
	$(call say,AS,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(KCC_S) -MMD -MP -c -o $@ $<

$(O)/kernel.lds: $(KERNEL_LDS) $(O)/.kernel-flags
	$(call say,LDS,$<)
	$(Q)$(CC) -E -P -x assembler-with-cpp $(KCPPFLAGS) -D__ASSEMBLY__ -DLINKER_SCRIPT \
		-MMD -MP -MF $@.d -MT $@ -o $@ $<

# Two links: the first finds the symbols, the second carries their table, which lies behind all
# code. `ksyms --check` fails the build if a text symbol moved between the two.
$(O)/ksyms0.S:
	@mkdir -p $(@D)
	$(Q)$(PYTHON) tools/ksyms --empty > $@

$(O)/kernel.pass1: $(KERNEL_OBJ) $(O)/ksyms0.o $(O)/kernel.lds $(O)/.kernel-objects
	$(call say,LD,$@)
	$(Q)$(KLD) -T $(O)/kernel.lds -o $@ $(KERNEL_OBJ) $(O)/ksyms0.o

$(O)/ksyms1.S: $(O)/kernel.pass1 tools/ksyms
	$(call say,KSYMS,$@)
	$(Q)$(NM) -n $< | $(PYTHON) tools/ksyms $(KSYMS_LINES) > $@

$(O)/ksyms%.o: $(O)/ksyms%.S $(O)/.kernel-flags
	$(Q)$(KCC_S) -c -o $@ $<

$(O)/kernel.elf: $(O)/kernel.pass1 $(O)/ksyms1.o
	$(call say,LD,$@)
	$(Q)$(KLD) -T $(O)/kernel.lds -o $@ $(KERNEL_OBJ) $(O)/ksyms1.o
	$(Q)$(NM) -n $@ | $(PYTHON) tools/ksyms --check $(O)/ksyms1.S

$(O)/Image: $(O)/kernel.elf
	$(call say,IMAGE,$@)
	$(Q)$(OBJCOPY) -O binary $< $@

# Kernel and user land; editors find it in the top directory.
.PHONY: compile_commands.json
compile_commands.json:
	$(Q)$(PYTHON) tools/compdb --out $@ --command '$(KCC_C)' $(filter %.c,$(KERNEL_SRC)) \
		--command '$(UCC)' $(filter %.c,$(USER_LIB_SRC) $(USER_SRC))

-include $(KERNEL_OBJ:.o=.d) $(O)/kernel.lds.d
