# Check the variables, then choose the tools. A wrong value is one clear line, not a strange build.

one-of = $(if $(filter 1,$(words $($(1)))),$(if $(filter $($(1)),$(2)),,$(call bad,$(1),$(2))),$(call bad,$(1),$(2)))
bad = $(error $(1)='$($(1))' is not valid; use one of: $(2))

$(call one-of,ARCH,riscv arm64)
$(call one-of,LAB,$(LABS))
$(call one-of,GIC,2 3)
$(call one-of,DEBUG,0 1)
$(call one-of,LLVM,0 1)
$(call one-of,KASAN,0 1)
$(call one-of,UBSAN,0 1)
$(if $(filter 11,$(LLVM)$(KASAN)),$(error KASAN=1 is for gcc: leave LLVM=1 out))
$(call one-of,ICOUNT,0 1)
ifneq ($(PAGING),)
$(call one-of,PAGING,sv39 sv48 sv57)
$(if $(filter arm64,$(ARCH)),$(error PAGING is for ARCH=riscv; arm64 always has four levels))
endif

# The allocators of small objects that this tree has, and the one each stage boots with.
SLABS  := page$(foreach s,slab slub slob,$(if $(wildcard kernel/mm/slab/$(s).c), $(s)))
SLAB_1 := page
SLAB_2 := page
SLAB_3 := slab
SLAB_4 := slub
SLAB_5 := slub
override SLAB := $(or $(SLAB),$(SLAB_$(LAB)))
$(call one-of,SLAB,$(SLABS))
$(call one-of,HARDENED,0 1)
$(call one-of,SLUB_STATS,0 1)

ifeq ($(ARCH)$(GIC),arm642)
$(if $(filter 1 2 3 4 5 6 7 8,$(CPUS)),,$(error CPUS=$(CPUS): GICv2 has 8 CPU interfaces at most; use GIC=3))
endif

variant := $(if $(filter 1,$(DEBUG)),-debug)$(if $(filter 1,$(KASAN)),-kasan)$(if $(filter 1,$(UBSAN)),-ubsan)$(if $(filter 1,$(LLVM)),-llvm)$(if $(filter-out $(lastword $(LABS)),$(LAB)),-lab$(LAB))$(if $(filter-out $(SLAB_$(LAB)),$(SLAB)),-$(SLAB))$(if $(filter 1,$(HARDENED)),-hardened)$(if $(filter 1,$(SLUB_STATS)),-stats)
O := $(BUILD)/$(ARCH)$(variant)

CROSS_riscv := riscv64-linux-gnu-
CROSS_arm64 := aarch64-linux-gnu-
CROSS_COMPILE ?= $(CROSS_$(ARCH))
GLIBC_CC      ?= $(CROSS_$(ARCH))gcc
TRIPLE_riscv  := riscv64-linux-gnu
TRIPLE_arm64  := aarch64-linux-gnu
EMULATION_riscv := elf64lriscv
EMULATION_arm64 := aarch64linux

ifeq ($(LLVM),1)
CC      := clang --target=$(TRIPLE_$(ARCH))
LD      := ld.lld -m $(EMULATION_$(ARCH))
CC_INCLUDE = $(shell clang -print-resource-dir)/include
else
CC      := $(CROSS_COMPILE)gcc
LD      := $(CROSS_COMPILE)ld $(if $(filter riscv,$(ARCH)),-m elf64lriscv)
CC_INCLUDE = $(shell $(CC) -print-file-name=include)
endif
NM      := $(CROSS_COMPILE)nm
OBJCOPY := $(CROSS_COMPILE)objcopy
OBJDUMP := $(CROSS_COMPILE)objdump

need = $(if $(shell command -v $(firstword $(1))),,$(error $(firstword $(1)) is not installed: run ./tools/setup, or `make doctor` to see all that is missing))
ifneq ($(filter-out clean-disk,$(or $(MAKECMDGOALS),all)),)
$(call need,$(CC))
$(call need,$(LD))
$(call need,$(OBJCOPY))
CC_INCLUDE := $(CC_INCLUDE)
endif

# RISC-V: assembly may save floating-point registers, C must never touch them. clang 14 does not
# know the names zicsr and zifencei and takes both for granted.
zi := $(if $(filter 0,$(LLVM)),_zicsr_zifencei)
MARCH_C_riscv := -march=rv64imac$(zi)
MARCH_S_riscv := -march=rv64imafdc$(zi)
ARCH_FLAGS_riscv := -mabi=lp64 -mcmodel=medany -mno-relax
ARCH_FLAGS_arm64 := -march=armv8.1-a -mno-outline-atomics
MARCH_C_arm64 := -mgeneral-regs-only
