# $(call stamp,file,text): rewrite `file` only if the text changed, so that what depends on it rebuilds.
define stamp
$(1): FORCE
	+@mkdir -p $$(@D)
	+@printf '%s\n' '$(2)' | cmp -s - $$@ || printf '%s\n' '$(2)' > $$@
endef
