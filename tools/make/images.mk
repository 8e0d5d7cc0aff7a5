# The root file system, staged, then made into an ext2 disk and an initrd of the same format.
# The disk outlives boots: a rebuilt program is written into it, what the guest wrote stays.

ROOT_ETC := $(sort $(wildcard user/etc/*))
ROOT_GLIBC := $(sort $(filter-out %.c %.h %.inc,$(wildcard user/glibc/*)))

$(eval $(call stamp,$(O)/.rootfs-list,$(USER_BIN) $(GLIBC_BIN) $(ROOT_ETC) $(ROOT_GLIBC)))

$(O)/.rootfs: $(USER_BIN) $(GLIBC_BIN) $(ROOT_ETC) $(ROOT_GLIBC) $(O)/.rootfs-list tools/mkimage
	$(call say,ROOTFS,$(O)/rootfs)
	$(Q)rm -rf $(O)/rootfs
	$(Q)cd $(O) && mkdir -p rootfs && cd rootfs && mkdir -p bin dev etc glibc home proc root tmp
	$(Q)for f in $(USER_BIN); do $(OBJCOPY) -S $$f $(O)/rootfs/bin/$${f##*/} || exit 1; done
	$(Q)for f in $(GLIBC_BIN); do $(OBJCOPY) -S $$f $(O)/rootfs/glibc/$${f##*/} || exit 1; done
	$(Q)$(if $(ROOT_ETC),cp -R $(ROOT_ETC) $(O)/rootfs/etc/)
	$(Q)$(if $(ROOT_GLIBC),cp -R $(ROOT_GLIBC) $(O)/rootfs/glibc/ && chmod 755 $(O)/rootfs/glibc/*)
	$(Q)touch $@

$(O)/disk.img: $(O)/.rootfs
	$(call say,DISK,$@)
	$(Q)$(PYTHON) tools/mkimage --update --size 64M --out $@ $(O)/rootfs

$(O)/initrd.img: $(O)/.rootfs
	$(call say,INITRD,$@)
	$(Q)$(PYTHON) tools/mkimage --slack 8M --out $@ $(O)/rootfs

images: $(O)/disk.img $(O)/initrd.img
