/*
 * ext2 on disk, revision 1. Numbers are little-endian, as both our machines and the host are, and
 * are read as they lie.
 */
#pragma once

#include "lib/compiler.h"

#define EXT2_MAGIC		0xef53
#define EXT2_BLOCK_SIZE		4096
#define EXT2_ADDR_PER_BLOCK	1024	/* block numbers in an indirect block */
#define EXT2_ROOT_INO		2
#define EXT2_LINK_MAX		32000
#define EXT2_NAME_LEN		255

#define EXT2_VALID_FS		1	/* s_state: was unmounted or synced last */
#define EXT2_ERROR_FS		2	/* s_state: damage was seen */

#define EXT2_FEATURE_INCOMPAT_FILETYPE		2
#define EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER	1
#define EXT2_FEATURE_RO_COMPAT_LARGE_FILE	2

struct ext2_super {
	u32 s_inodes_count, s_blocks_count, s_r_blocks_count;
	u32 s_free_blocks_count, s_free_inodes_count;
	u32 s_first_data_block;
	u32 s_log_block_size, s_log_frag_size;
	u32 s_blocks_per_group, s_frags_per_group, s_inodes_per_group;
	u32 s_mtime, s_wtime;
	u16 s_mnt_count, s_max_mnt_count;
	u16 s_magic, s_state, s_errors, s_minor_rev_level;
	u32 s_lastcheck, s_checkinterval, s_creator_os, s_rev_level;
	u16 s_def_resuid, s_def_resgid;
	u32 s_first_ino;
	u16 s_inode_size, s_block_group_nr;
	u32 s_feature_compat, s_feature_incompat, s_feature_ro_compat;
	u8 s_uuid[16];
	char s_volume_name[16], s_last_mounted[64];
	u32 s_algorithm_usage_bitmap;
	u8 s_prealloc_blocks, s_prealloc_dir_blocks;
	u16 s_reserved_gdt_blocks;
	u8 s_rest[816];
};
BUILD_BUG_ON(sizeof(struct ext2_super) != 1024);

struct ext2_group_desc {
	u32 bg_block_bitmap, bg_inode_bitmap, bg_inode_table;
	u16 bg_free_blocks_count, bg_free_inodes_count, bg_used_dirs_count, bg_pad;
	u32 bg_reserved[3];
};
BUILD_BUG_ON(sizeof(struct ext2_group_desc) != 32);
#define EXT2_DESC_PER_BLOCK	(EXT2_BLOCK_SIZE / sizeof(struct ext2_group_desc))

#define EXT2_NDIR_BLOCKS	12
#define EXT2_IND_BLOCK		12
#define EXT2_DIND_BLOCK		13
#define EXT2_TIND_BLOCK		14
#define EXT2_N_BLOCKS		15

struct ext2_raw_inode {
	u16 i_mode, i_uid;
	u32 i_size;
	u32 i_atime, i_ctime, i_mtime, i_dtime;
	u16 i_gid, i_links_count;
	u32 i_blocks;			/* of 512 bytes, indirect blocks included */
	u32 i_flags, i_osd1;
	u32 i_block[EXT2_N_BLOCKS];
	u32 i_generation, i_file_acl;
	u32 i_size_high;		/* regular files only */
	u32 i_faddr;
	u16 i_frag, i_pad1;
	u16 i_uid_high, i_gid_high;
	u32 i_reserved;
};
BUILD_BUG_ON(sizeof(struct ext2_raw_inode) != 128);

/* In the table an inode takes s_inode_size bytes; what is behind these 128 we leave alone. */

struct ext2_dirent {
	u32 inode;			/* 0: unused */
	u16 rec_len;			/* to the next entry; the last one ends with the block */
	u8 name_len, file_type;
	char name[];
};
#define EXT2_DIRENT_HEAD	8
#define EXT2_REC_LEN(n)		ALIGN((unsigned int)(n) + EXT2_DIRENT_HEAD, 4U)

enum ext2_file_type {
	EXT2_FT_UNKNOWN, EXT2_FT_REG, EXT2_FT_DIR, EXT2_FT_CHR, EXT2_FT_BLK, EXT2_FT_FIFO,
	EXT2_FT_SOCK, EXT2_FT_LNK, EXT2_FT_MAX
};
