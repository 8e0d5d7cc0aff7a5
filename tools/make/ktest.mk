# The test image: the kernel as it stands, and beside it the world of the lab's tests with the
# files under test (TREE's) in it. Host and cross builds of a world are the same steps.

LAB_DIR := $(firstword $(wildcard labs/$(LAB)-*))
TREE    ?= .
HIDDEN  ?= $(if $(HANDOUT),0,1)
SEED    ?= 1
TESTS   ?=
SEEDS   ?=
# 1: the test image also notes every call across the border of the files under test. Not for grading.
CALLS   ?= 0
$(if $(LAB_DIR),,$(error LAB=$(LAB): there is no labs/$(LAB)-*))

K := $(O)/ktest$(if $(filter labs/%,$(LAB_DIR)),,-$(notdir $(LAB_DIR)))$(if $(filter 1,$(CALLS)),-calls)
include $(K)/vars.mk
$(K)/vars.mk: $(LAB_DIR)/lab.toml tools/ktest-build
	@mkdir -p $(@D)
	$(Q)$(PYTHON) tools/ktest-build vars $(LAB_DIR) > $@

KTEST_WORLD := $(addprefix kernel/test/ktest/,world.c oracle.c trace.c $(if $(filter 1,$(LAB_ATOMICS)),atomics.c)) $(LAB_WORLD)
KTEST_CORE  := $(addprefix kernel/test/ktest/,ktest.c run.c seal.c $(if $(filter 1,$(CALLS)),calls.c))
K_CALLS     := $(if $(filter 1,$(CALLS)),-DCONFIG_CALLS=1)
LAB_TESTS   := $(sort $(wildcard $(LAB_DIR)/tests/*.c) $(if $(filter 1,$(HIDDEN)),$(wildcard $(LAB_DIR)/tests/hidden/*.c)))
LAB_STUDENT := $(addprefix $(TREE)/,$(LAB_OWNED))

$(eval $(call stamp,$(K)/.tree,$(abspath $(TREE)) $(HIDDEN)))

k-obj = $(patsubst %.c,$(K)/$(1)/%.o,$(subst /,+,$(2)))
define k-compile	# group, source, flags
$(call k-obj,$(1),$(2)): $(if $(filter student,$(1)),$(TREE)/)$(2) $(O)/.kernel-flags $(if $(filter student,$(1)),$(K)/.tree)
	$$(call say,CC,$(2))
	@mkdir -p $$(@D)
	$$(Q)$$(KCC_C) $(3) -MMD -MP -c -o $$@ $$<
	$$(Q)echo '$$<:' >> $$(@:.o=.d)	# TREE may be another one next time, and this one gone
-include $(patsubst %.o,%.d,$(call k-obj,$(1),$(2)))
endef
# Atomic operations are calls then: kernel/test/ktest/atomics.c.
K_ATOMICS_riscv := -march=rv64imc$(zi) $(if $(filter 1,$(LLVM)),-Wno-atomic-alignment)
K_ATOMICS_arm64 := -march=armv8-a -moutline-atomics
K_STUDENT_FLAGS := -DCONFIG_WORLD=1 -Wno-error $(if $(filter 1,$(LAB_ATOMICS)),$(K_ATOMICS_$(ARCH)))
$(foreach s,$(LAB_OWNED),$(eval $(call k-compile,student,$(s),$(K_STUDENT_FLAGS))))
$(foreach s,$(LAB_GIVEN),$(eval $(call k-compile,given,$(s),-DCONFIG_WORLD=1)))
$(foreach s,$(KTEST_WORLD) $(LAB_TESTS),$(eval $(call k-compile,world,$(s),-DCONFIG_WORLD=1 $(K_CALLS))))
$(foreach s,$(KTEST_CORE),$(eval $(call k-compile,core,$(s),$(K_CALLS))))

k-objs = $(foreach s,$(2),$(call k-obj,$(1),$(s)))
K_STUDENT := $(call k-objs,student,$(LAB_OWNED))
# Given files that another lab's student owns: a student's tree has them ready-made.
k-ready    = $(foreach o,$(1),$(or $(wildcard $(2)/$(notdir $(o))),$(o)))
K_GIVEN   := $(call k-ready,$(call k-objs,given,$(LAB_GIVEN)),$(PREBUILT)/given)
K_WORLD   := $(call k-objs,world,$(KTEST_WORLD) $(LAB_TESTS))
K_CORE    := $(call k-objs,core,$(KTEST_CORE))

$(K)/table.c $(K)/tests.json &: $(LAB_TESTS) $(LAB_DIR)/lab.toml tools/ktest-build $(K)/.tree
	@mkdir -p $(K)
	$(Q)$(PYTHON) tools/ktest-build table $(LAB_DIR) --hidden $(HIDDEN) --c $(K)/table.c --json $(K)/tests.json
	@touch $(K)/table.c $(K)/tests.json
$(K)/table.o: $(K)/table.c $(O)/.kernel-flags
	$(Q)$(KCC_C) -DCONFIG_WORLD=1 -c -o $@ $<

$(K)/calls.c $(K)/calls.map &: $(K_STUDENT) $(LAB_DIR)/lab.toml tools/ktest-build tools/strata/calls.py
	$(Q)$(PYTHON) tools/ktest-build calls $(LAB_DIR) --tools $(CROSS_COMPILE) --c $(K)/calls.c --map $(K)/calls.map \
		--student $(K_STUDENT)
	@touch $(K)/calls.c $(K)/calls.map
$(K)/calls.o: $(K)/calls.c $(O)/.kernel-flags
	$(Q)$(KCC_C) -DCONFIG_WORLD=1 -c -o $@ $<
ifeq ($(CALLS),1)
K_WORLD += $(K)/calls.o
endif

$(K)/world.o: $(K_STUDENT) $(K_GIVEN) $(K_WORLD) $(K)/table.o kernel/test/ktest/world.lds
	$(call say,WORLD,$@)
	$(Q)$(PYTHON) tools/ktest-build link $(LAB_DIR) --tools $(CROSS_COMPILE) --ld '$(LD)' --out $@ \
		--work $(K)/link --student $(K_STUDENT) --given $(K_GIVEN) --harness $(K_WORLD) $(K)/table.o \
		$(if $(filter 1,$(CALLS)),--calls $(K)/calls.map)

# The kernel that runs the tests, in one piece: a student's tree has it ready-made.
ifneq ($(wildcard $(PREBUILT)/ktest-base.o),)
KTEST_BASE ?= $(PREBUILT)/ktest-base.o
endif
KTEST_BASE ?= $(O)/ktest-base.o
ifeq ($(KTEST_BASE),$(O)/ktest-base.o)
$(KTEST_BASE): $(KERNEL_OBJ) $(O)/.kernel-objects
	$(call say,BASE,$@)
	$(Q)$(LD) -r -o $@ $(KERNEL_OBJ)
endif

K_OBJ := $(KTEST_BASE) $(K_CORE) $(K)/world.o
$(K)/pass1: $(K_OBJ) $(O)/ksyms0.o $(O)/kernel.lds
	$(Q)$(KLD) -T $(O)/kernel.lds -o $@ $(K_OBJ) $(O)/ksyms0.o
$(K)/ksyms1.S: $(K)/pass1 tools/ksyms
	$(Q)$(NM) -n $< | $(PYTHON) tools/ksyms > $@
$(K)/ksyms1.o: $(K)/ksyms1.S
	$(Q)$(KCC_S) -c -o $@ $<
$(K)/ktest.elf: $(K)/pass1 $(K)/ksyms1.o
	$(call say,LD,$@)
	$(Q)$(KLD) -T $(O)/kernel.lds -o $@ $(K_OBJ) $(K)/ksyms1.o
	$(Q)$(NM) -n $@ | $(PYTHON) tools/ksyms --check $(K)/ksyms1.S
$(K)/Image: $(K)/ktest.elf
	$(Q)$(OBJCOPY) -O binary $< $@

.PHONY: ktest ktest-build ktest-base ktest-student
# For the grader: all that does not depend on the files under test, and those files alone.
ktest-base: $(KTEST_BASE) $(K_GIVEN) $(K_WORLD) $(K_CORE) $(K)/table.o $(O)/ksyms0.o $(O)/kernel.lds
ktest-student: $(K_STUDENT)
ktest-build: $(K)/Image $(K)/tests.json
ktest: ktest-build
	@$(PYTHON) tools/ktest --arch $(ARCH) --lab $(LAB) --image $(K)/Image --tests-json $(K)/tests.json \
		--seed $(SEED) $(if $(SEEDS),--seeds $(SEEDS)) $(if $(filter 1,$(CALLS)),--calls) $(if $(JSON),--json '$(JSON)') $(TESTS)
