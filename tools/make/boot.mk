# The real kernel, for the grader: everything but the files that the lab's student owns is linked once, and these
# files (TREE's) are compiled as they are and put beside it. The initrd holds one program, bootcheck,
# and the file in which it looks for its key.

BOOT := $(O)/boot
BOOT_OWNED   := $(filter $(addprefix $(O)/,$(LAB_OWNED:.c=.o)),$(KERNEL_OBJ))
BOOT_STUDENT := $(patsubst $(O)/%,$(BOOT)/student/%,$(BOOT_OWNED))
BOOT_SLACK   := 512K

$(BOOT)/student/%.o: $(TREE)/%.c $(O)/.kernel-flags $(K)/.tree
	$(call say,CC,$*.c)
	@mkdir -p $(@D)
	$(Q)$(KCC_C) -Wno-error -c -o $@ $<

# A student's tree has it ready-made: the files of the labs below are the reference's.
ifneq ($(wildcard $(PREBUILT)/boot-base.o),)
BOOT_BASE ?= $(PREBUILT)/boot-base.o
endif
BOOT_BASE ?= $(BOOT)/base.o
ifeq ($(BOOT_BASE),$(BOOT)/base.o)
$(BOOT_BASE): $(filter-out $(BOOT_OWNED),$(KERNEL_OBJ)) $(O)/.kernel-objects
	$(call say,BASE,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(LD) -r -o $@ $(filter %.o,$^)
endif

BOOT_OBJ := $(BOOT_BASE) $(BOOT_STUDENT)
$(BOOT)/pass1: $(BOOT_OBJ) $(O)/ksyms0.o $(O)/kernel.lds
	$(Q)$(KLD) -T $(O)/kernel.lds -o $@ $(BOOT_OBJ) $(O)/ksyms0.o
$(BOOT)/ksyms1.S: $(BOOT)/pass1 tools/ksyms
	$(Q)$(NM) -n $< | $(PYTHON) tools/ksyms > $@
$(BOOT)/ksyms1.o: $(BOOT)/ksyms1.S
	$(Q)$(KCC_S) -c -o $@ $<
$(BOOT)/boot.elf: $(BOOT)/pass1 $(BOOT)/ksyms1.o
	$(call say,LD,$@)
	$(Q)$(KLD) -T $(O)/kernel.lds -o $@ $(BOOT_OBJ) $(BOOT)/ksyms1.o
	$(Q)$(NM) -n $@ | $(PYTHON) tools/ksyms --check $(BOOT)/ksyms1.S
$(BOOT)/Image: $(BOOT)/boot.elf
	$(Q)$(OBJCOPY) -O binary $< $@

# The key's place, which tools/bootcheck fills anew for each boot.
$(BOOT)/initrd.img: $(O)/user/bin/bootcheck tools/mkimage
	$(call say,INITRD,$@)
	$(Q)rm -rf $(BOOT)/root && mkdir -p $(BOOT)/root/bin $(BOOT)/root/dev $(BOOT)/root/proc
	$(Q)$(OBJCOPY) -S $< $(BOOT)/root/bin/bootcheck
	$(Q)printf 'strata boot key %032d\n' 0 > $(BOOT)/root/key
	$(Q)$(PYTHON) tools/mkimage --slack $(BOOT_SLACK) --out $@ $(BOOT)/root

.PHONY: boot-base boot-student boot-build
boot-base: $(BOOT_BASE) $(O)/ksyms0.o $(O)/kernel.lds $(BOOT)/initrd.img
boot-student: $(BOOT_STUDENT)
boot-build: $(BOOT)/Image
