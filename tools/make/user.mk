# User land. user/lib is the C library; a program is user/NAME.c with every user/NAME_*.c, and the
# folder user/NAME/*.c. user/glibc/*.c are built against glibc as any static Linux program is.

USER_NOT_PROGRAMS := lib glibc etc include
other_arch := $(filter-out $(ARCH),riscv arm64)

USER_LIB_SRC := $(filter-out user/lib/arch/$(other_arch)/%,$(shell find user/lib -name '*.[cS]' 2>/dev/null | sort))
USER_SRC     := $(filter-out $(addprefix user/,$(addsuffix /%,$(USER_NOT_PROGRAMS))),$(sort $(wildcard user/*.c user/*/*.c)))
USER_PROGRAMS := $(sort $(foreach f,$(USER_SRC:user/%=%),$(firstword $(subst _, ,$(basename $(firstword $(subst /, ,$(f))))))))
user-objects = $(addprefix $(O)/,$(addsuffix .o,$(basename $(filter user/$(1).c user/$(1)_%.c user/$(1)/%,$(USER_SRC)))))

USER_ARCH_FLAGS := $(if $(filter riscv,$(ARCH)),-march=rv64gc -mabi=lp64d -mcmodel=medany -mno-relax,$(ARCH_FLAGS_arm64))
LIBGCC = $(shell $(CROSS_COMPILE)gcc $(USER_ARCH_FLAGS) -print-libgcc-file-name)

UCC := $(CC) -std=gnu11 $(if $(filter 0,$(DEBUGINFO)),-O1 -w,-O2 -g -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes) \
	-ffreestanding -fno-strict-aliasing -fno-common -ffunction-sections -fdata-sections \
	-fno-pic -fno-pie -fno-stack-protector -fno-asynchronous-unwind-tables $(USER_ARCH_FLAGS) \
	$(if $(filter 0,$(LLVM)),-fno-tree-loop-distribute-patterns) \
	-nostdinc -isystem $(CC_INCLUDE) -I user/lib/include -I user/lib/arch/$(ARCH)/include -I user/lib
ULD := $(LD) -nostdlib -static --build-id=none -z max-page-size=4096 -z noexecstack -z separate-code \
	--gc-sections -z nostart-stop-gc -e _start \
	$(if $(filter riscv,$(ARCH)),--no-relax)

$(eval $(call stamp,$(O)/.user-flags,$(UCC)))

USER_LIB := $(O)/user/libc.a
USER_LIB_OBJ := $(addprefix $(O)/,$(addsuffix .o,$(basename $(USER_LIB_SRC))))

$(O)/user/%.o: user/%.c $(O)/.user-flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(UCC) -MMD -MP -c -o $@ $<

$(O)/user/%.o: user/%.S $(O)/.user-flags
	$(call say,AS,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(UCC) -D__ASSEMBLY__ -MMD -MP -c -o $@ $<

$(eval $(call stamp,$(O)/.user-lib-objects,$(USER_LIB_OBJ)))
$(USER_LIB): $(USER_LIB_OBJ) $(O)/.user-lib-objects
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(CROSS_COMPILE)ar rcs $@ $(USER_LIB_OBJ)

define user-program
$(O)/user/bin/$(1): $(call user-objects,$(1)) $(USER_LIB)
	$$(call say,LD,$$@)
	$(Q)mkdir -p $$(@D)
	$(Q)$(ULD) -o $$@ $(call user-objects,$(1)) $(USER_LIB) $$(LIBGCC)
endef
$(foreach p,$(USER_PROGRAMS),$(eval $(call user-program,$(p))))

# ---- programs against glibc; left out where its cross compiler is not installed ----------------

GLIBC_SRC  := $(if $(shell command -v $(GLIBC_CC)),$(sort $(wildcard user/glibc/*.c)))
GLIBC_BIN  := $(patsubst user/glibc/%.c,$(O)/user/glibc/%,$(GLIBC_SRC))

$(O)/user/glibc/%: user/glibc/%.c
	$(call say,GLIBC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(GLIBC_CC) -O2 -g -Wall -Wextra -Werror -static -pthread -MMD -MP -MF $@.d -MT $@ -o $@ $< -lm

USER_BIN := $(addprefix $(O)/user/bin/,$(USER_PROGRAMS))
user: $(USER_BIN) $(GLIBC_BIN)

-include $(USER_LIB_OBJ:.o=.d) $(foreach p,$(USER_PROGRAMS),$(patsubst %.o,%.d,$(call user-objects,$(p)))) $(addsuffix .d,$(GLIBC_BIN))
