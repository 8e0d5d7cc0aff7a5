# A lab's tests on the host: the files under test (TREE's), the given files around them and the tests,
# under ASan and UBSan. Needs no cross compiler.

LAB_DIR := $(firstword $(wildcard labs/$(LAB)-*))
TREE    ?= .
HIDDEN  ?= $(if $(HANDOUT),0,1)
SEED    ?= 1
TESTS   ?=
HOSTCC  ?= gcc
$(if $(LAB_DIR),,$(error LAB=$(LAB): there is no labs/$(LAB)-*))

# FUZZ=1: the same world under libFuzzer. TIME: seconds; CORPUS: where its inputs are kept.
FUZZ ?= 0
TIME ?= 60
ifeq ($(FUZZ),1)
HOSTCC := clang
endif
H := $(BUILD)/host/$(if $(filter 1,$(FUZZ)),fuzz-)lab$(LAB)$(if $(filter labs/%,$(LAB_DIR)),,-$(notdir $(LAB_DIR)))
include $(H)/vars.mk
$(H)/vars.mk: $(LAB_DIR)/lab.toml tools/ktest-build
	@mkdir -p $(@D)
	$(Q)$(PYTHON) tools/ktest-build vars $(LAB_DIR) > $@

CORPUS ?= $(H)/corpus
KTEST_WORLD := $(addprefix kernel/test/ktest/,world.c oracle.c trace.c $(if $(filter 1,$(LAB_ATOMICS)),atomics.c) $(if $(filter 1,$(FUZZ)),fuzz.c)) $(LAB_WORLD)
LAB_TESTS   := $(sort $(wildcard $(LAB_DIR)/tests/*.c) $(if $(filter 1,$(HIDDEN)),$(wildcard $(LAB_DIR)/tests/hidden/*.c)))
LAB_STUDENT := $(addprefix $(TREE)/,$(LAB_OWNED))

# What small objects come from at that stage, as in config.mk.
HOST_SLAB_3 := SLAB
HOST_SLAB_4 := SLUB
HOSTCFLAGS := -std=gnu11 -O1 -g -Wall -Wextra -Werror -ffreestanding -fno-omit-frame-pointer \
	-fno-strict-aliasing -fwrapv -fno-common -fno-pie -fsanitize=address,undefined \
	-fno-sanitize-recover=all -D__KERNEL__ -DCONFIG_ARCH_HOST=1 \
	-DCONFIG_LAB=$(LAB) \
	-DCONFIG_SLAB_$(or $(HOST_SLAB_$(LAB)),PAGE)=1 -I kernel -I kernel/arch/host/include
ifeq ($(FUZZ),1)
HOSTCFLAGS += -fsanitize=fuzzer-no-link -DCONFIG_FUZZ=1
endif

$(eval $(call stamp,$(H)/.flags,$(HOSTCC) $(HOSTCFLAGS)))
$(eval $(call stamp,$(H)/.tree,$(abspath $(TREE)) $(HIDDEN)))

comma := ,
h-obj = $(patsubst %.c,$(H)/$(1)/%.o,$(subst /,+,$(2)))
define h-compile	# group, source, flags
$(call h-obj,$(1),$(2)): $(if $(filter student,$(1)),$(TREE)/)$(2) $(H)/.flags $(if $(filter student,$(1)),$(H)/.tree)
	$$(call say,HOSTCC,$(2))
	@mkdir -p $$(@D)
	$$(Q)$$(HOSTCC) $$(HOSTCFLAGS) $(3) -MMD -MP -c -o $$@ $$<
	$$(Q)echo '$$<:' >> $$(@:.o=.d)	# TREE may be another one next time, and this one gone
-include $(patsubst %.o,%.d,$(call h-obj,$(1),$(2)))
endef
$(foreach s,$(LAB_OWNED),$(eval $(call h-compile,student,$(s),-DCONFIG_WORLD=1 -Wno-error)))
$(foreach s,$(LAB_GIVEN) $(LAB_REFERENCE),$(eval $(call h-compile,given,$(s),-DCONFIG_WORLD=1)))
$(foreach s,$(KTEST_WORLD) $(LAB_TESTS),$(eval $(call h-compile,world,$(s),-DCONFIG_WORLD=1)))
# What files under test may call, or an inline function calls for them, and the host has not.
KTEST_HOST := kernel/test/ktest/ktest.c kernel/test/ktest/host.c kernel/arch/host/host.c \
	kernel/lib/sort.c kernel/lib/bitops.c
$(foreach s,$(KTEST_HOST),$(eval $(call h-compile,core,$(s),)))

h-objs = $(foreach s,$(2),$(call h-obj,$(1),$(s)))
H_STUDENT := $(call h-objs,student,$(LAB_OWNED))
# Given files that another lab's student owns: a student's tree has them ready-made for hosts like the instructor's.
H_PREBUILT := $(if $(filter 0,$(FUZZ)),prebuilt/lab$(LAB)/host-$(shell uname -m))
H_GIVEN   := $(foreach o,$(call h-objs,given,$(LAB_GIVEN) $(LAB_REFERENCE)),$(or $(wildcard $(H_PREBUILT)/$(notdir $(o))),$(o)))
H_WORLD   := $(call h-objs,world,$(KTEST_WORLD) $(LAB_TESTS))
H_CORE    := $(call h-objs,core,$(KTEST_HOST))

$(H)/table.c $(H)/tests.json &: $(LAB_TESTS) $(LAB_DIR)/lab.toml tools/ktest-build $(H)/.tree
	$(Q)$(PYTHON) tools/ktest-build table $(LAB_DIR) --hidden $(HIDDEN) --c $(H)/table.c --json $(H)/tests.json
	@touch $(H)/table.c $(H)/tests.json
$(H)/table.o: $(H)/table.c $(H)/.flags
	$(Q)$(HOSTCC) $(HOSTCFLAGS) -DCONFIG_WORLD=1 -c -o $@ $<

$(H)/world.o: $(H_STUDENT) $(H_GIVEN) $(H_WORLD) $(H)/table.o kernel/test/ktest/world.lds
	$(call say,WORLD,$@)
	$(Q)$(PYTHON) tools/ktest-build link $(LAB_DIR) --ld ld --out $@ --work $(H)/link \
		--student $(H_STUDENT) --given $(H_GIVEN) --harness $(H_WORLD) $(H)/table.o

$(H)/ktest-host: $(H)/world.o $(H_CORE)
	$(call say,HOSTLD,$@)
	$(Q)$(HOSTCC) -no-pie -fsanitize=address,undefined$(if $(filter 1,$(FUZZ)),$(comma)fuzzer) -pthread -o $@ $^

.PHONY: host-test host-test-build host-test-base host-test-student fuzz-host fuzz-run
host-test-base: $(H_GIVEN) $(H_WORLD) $(H_CORE) $(H)/table.o
host-test-student: $(H_STUDENT)
host-test-build: $(H)/ktest-host
host-test: $(H)/ktest-host
	@ASAN_OPTIONS=detect_leaks=0:abort_on_error=0 $(H)/ktest-host -s $(SEED) $(TESTS)

fuzz-host:
	+@$(MAKE) --no-print-directory FUZZ=1 fuzz-run
fuzz-run: $(H)/ktest-host
	@mkdir -p $(CORPUS)
	@ASAN_OPTIONS=detect_leaks=0 $(H)/ktest-host -max_total_time=$(TIME) -max_len=2048 -timeout=20 \
		-print_final_stats=1 -artifact_prefix=$(H)/ -seed=$(SEED) $(CORPUS) >$(H)/fuzz.log 2>&1; s=$$?; \
	tail -n 12 $(H)/fuzz.log; exit $$s
