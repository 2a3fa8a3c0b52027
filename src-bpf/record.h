/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What crosses from the kernel to user space: marks and records. The one source of
 * truth; crates/fim-bpf/src/skel.rs checks the sizes of layout.rs against these.
 */
#pragma once

/* A file as the kernel knows it. */
struct fim_key {
	__u64 ino;
	__u32 dev; /* the kernel's encoding: s_dev, or a btrfs subvolume's own */
	__u32 gen; /* i_generation */
};
_Static_assert(sizeof(struct fim_key) == 16, "fim_key");

enum fim_scope {
	SCOPE_FILE = 1,
	SCOPE_NAMES = 2, /* a directory whose names are reported */
	SCOPE_TREE = 3,	 /* and whose new children are marked at birth */
};

#define FIM_WRITERS 3

/*
 * Each field is written by plain stores of its own size and never read-modified-written:
 * a program may still hold a mark that was removed and given to another file. That is why
 * a writer is kept mixed with the key of its file: a stray store silences nobody.
 */
struct fim_mark {
	__u8 scope;
	__u8 dirty;  /* touched since user space last cleared it */
	__u8 mapped; /* stores or completions may come unseen until the last close */
	__u8 closed; /* close reported since cleared: 1 by a writer, 2 by the last */
	__u32 writer[FIM_WRITERS]; /* who touched it since */
};
_Static_assert(sizeof(struct fim_mark) == 16, "fim_mark");

enum fim_kind { KIND_CHANGE = 1, KIND_NAMES = 2, KIND_PROCESS = 3 };

enum fim_op {
	OP_WRITE = 1,
	OP_MMAP,
	OP_IO_URING,
	OP_AIO,
	OP_SPLICE,
	OP_COPY,
	OP_FALLOCATE,
	OP_TRUNCATE,
	OP_KERNEL,
	OP_CREATE,
	OP_MKDIR,
	OP_MKNOD,
	OP_SYMLINK,
	OP_LINK,
	OP_RENAME,
	OP_EXCHANGE,
	OP_UNLINK,
	OP_RMDIR,
	OP_ATTRIBUTES,
	OP_XATTR,
	OP_FLAGS,
	OP_CLOSE,
	OP_EVICT,
	OP_MOUNT,
	/* never sent: counted apart while hooks are proved */
	OP_WRITEV,
	OP_MPROTECT,
	OP_ACL,
	OPS = 32,
};

#define FLAG_SETTLED 1 /* no writer is left */
#define FLAG_DIR 2     /* what was renamed is a directory */

/* A touch of a marked file. */
struct fim_change {
	__u8 kind;
	__u8 op;
	__u16 flags;
	__u32 tgid; /* 0: not known */
	__u64 time; /* CLOCK_BOOTTIME, ns */
	__u64 image; /* which life of tgid: see fim_process */
	struct fim_key file; /* all zero: not known */
};
_Static_assert(sizeof(struct fim_change) == 40, "fim_change");

/* A name that came, went or moved. Two slots of `slot` bytes follow: name, old name. */
struct fim_names {
	struct fim_change change;
	struct fim_key dir;
	struct fim_key from; /* all zero but for a move */
	__u16 slot;
	__u16 name_len; /* without the final NUL */
	__u16 from_len;
	__u16 _pad;
};
_Static_assert(sizeof(struct fim_names) == 80, "fim_names");

#define SLOT_SHORT 32
#define SLOT_LONG 256

#define PROC_ARGS 512
#define PROC_PATH 512
#define PROC_PATH_ROOM (PROC_PATH + SLOT_LONG)
#define PROC_CGROUP 128

#define PROC_KTHREAD 1
#define PROC_HAS_ARGS 2
#define PROC_HAS_PATH 4	   /* the walk reached the root */

/* A process image, sent once before its first change. */
struct fim_process {
	__u8 kind;
	__u8 flags;
	__u16 args_len;
	__u32 tgid;
	__u64 image;
	__u64 start;	    /* CLOCK_BOOTTIME, ns */
	__u64 parent_start; /* likewise */
	__u32 parent;
	__u32 uid, gid;
	__u32 loginuid, sessionid; /* ~0: none */
	__u32 path_len;
	char comm[16];
	char parent_comm[16];
	char cgroup[PROC_CGROUP];
	char args[PROC_ARGS];
	char path[PROC_PATH_ROOM]; /* components from the file up, each with its NUL */
};
_Static_assert(sizeof(struct fim_process) == 1496, "fim_process");

/* One line of the answer to a fill. */
struct fim_filled {
	struct fim_key key;
	__u32 fd;
	__u32 armed;
};
_Static_assert(sizeof(struct fim_filled) == 24, "fim_filled");

struct fim_counts {
	__u64 used;	  /* marks set */
	__u64 lost;	  /* records that found the ring full */
	__u64 marks_full; /* files that found no room among the marks */
	__u64 hits[OPS];  /* own operations seen while proving */
};

/* What one agent leaves to the next. */
struct fim_kept {
	__u64 layout;	/* which form of all this */
	__u64 lost;	/* of fim_counts, as far as it was told */
	__u64 complete; /* all that was watched was marked */
	__u64 _pad;
};
_Static_assert(sizeof(struct fim_kept) == 32, "fim_kept");

enum fim_control { CONTROL_CLEAR = 1, CONTROL_REMOVE, CONTROL_PROBE, CONTROL_PROBED };
