/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The set of watched files, the filter before it, and the one way to touch a file. */
#pragma once

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024); /* set before load */
	__type(key, struct fim_key);
	__type(value, struct fim_mark);
} marks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct fim_counts);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 23); /* set before load */
} events SEC(".maps");

/*
 * Which inodes may be marked, by number and file system: small numbers are on every one. A byte
 * each and not a bit: setting a bit needs an atomic or, which 5.10 has not. Bytes are only ever
 * set.
 */
#define FILTER_BITS 21 /* with the rest of .bss below the 4 MiB that 5.10 takes */
u8 filter[1 << FILTER_BITS];

/* This agent: learned by the fill, since its pid namespace may not be the first. */
u32 self_tgid;
u64 self_start; /* its number may be another's once it has gone and we go on */
u64 self_mnt_ns;
u32 probing;

/*
 * To ask a btrfs for what fim_key takes as its device is too long for a file nobody watches: by number
 * alone there. Numbers are given out one after the other, so their low bits need no mixing.
 */
static __always_inline u32 filter_slot(struct super_block *sb, u64 ino)
{
	u32 dev = bpf_core_type_exists(struct btrfs_inode) && sb->s_magic == BTRFS_SUPER_MAGIC ? 0 : sb->s_dev;

	return ((u32)ino ^ dev * 0x9e3779b1U) & (sizeof(filter) - 1);
}

static __always_inline int may_be_marked(struct inode *inode)
{
	return filter[filter_slot(inode->i_sb, inode->i_ino)];
}

static __always_inline struct fim_counts *counters(void)
{
	u32 zero = 0;
	return bpf_map_lookup_elem(&counts, &zero);
}

#define COUNT(field, n)                                        \
	do {                                                   \
		struct fim_counts *c_ = counters();            \
		if (c_)                                        \
			__sync_fetch_and_add(&c_->field, (n)); \
	} while (0)

/* Which of the file systems that one btrfs is: its subvolumes number their files each for itself. */
static __noinline u32 subvolume_of(struct inode *inode)
{
	struct btrfs_inode *it = (void *)inode - bpf_core_field_offset(struct btrfs_inode, vfs_inode);

	return BPF_CORE_READ(it, root, anon_dev);
}

/* What user space sees as the device, where the kernel can say it. */
static __always_inline u32 device_of(struct inode *inode)
{
	struct super_block *sb = inode->i_sb;

	if (sb->s_magic == BTRFS_SUPER_MAGIC && bpf_core_type_exists(struct btrfs_inode)) {
		u32 dev = subvolume_of(inode);
		if (dev)
			return dev;
	}
	return sb->s_dev;
}

static __always_inline void key_of(struct inode *inode, struct fim_key *key)
{
	key->ino = inode->i_ino;
	key->dev = device_of(inode);
	key->gen = inode->i_generation;
}

/* The mark of an inode, or none. Fills the key in either way once the filter lets it through. */
static __always_inline struct fim_mark *mark_of(struct inode *inode, struct fim_key *key)
{
	if (!may_be_marked(inode))
		return 0;
	key_of(inode, key);
	return bpf_map_lookup_elem(&marks, key);
}

/*
 * Whether a file of this file system is marked. The filter is ours alone and opened in any case: the mark may be our
 * predecessor's.
 */
static __always_inline int has_mark(struct super_block *sb, const struct fim_key *key)
{
	filter[filter_slot(sb, key->ino)] = 1;
	return !!bpf_map_lookup_elem(&marks, key);
}

/* 0 when it is marked, 1 when there was no room. */
static __always_inline int add_mark(struct super_block *sb, const struct fim_key *key, u8 scope)
{
	struct fim_mark fresh = { .scope = scope };

	/* The filter first: a mark behind a closed filter is blind. */
	filter[filter_slot(sb, key->ino)] = 1;
	int err = bpf_map_update_elem(&marks, key, &fresh, BPF_NOEXIST);
	if (!err) {
		COUNT(used, 1);
		return 0;
	}
	if (bpf_map_lookup_elem(&marks, key))
		return 0;
	COUNT(marks_full, 1);
	return 1;
}

static __always_inline void drop_mark(const struct fim_key *key)
{
	if (!bpf_map_delete_elem(&marks, key))
		COUNT(used, -1ULL);
}

static __always_inline void set_dirty(const struct fim_key *key)
{
	struct fim_mark *mark = bpf_map_lookup_elem(&marks, key);
	if (mark)
		*(volatile u8 *)&mark->dirty = 1;
}

/* Own operations count while hooks are proved, and are otherwise nothing. */
static __always_inline int is_self(u32 op)
{
	struct task_struct *task;

	if ((u32)(bpf_get_current_pid_tgid() >> 32) != self_tgid)
		return 0;
	task = (void *)bpf_get_current_task();
	if (BPF_CORE_READ(task, group_leader, start_boottime) != self_start)
		return 0;
	if (probing)
		COUNT(hits[op], 1);
	return 1;
}

/* Notes the current process as one that touched the file. 1 when that is news. */
static __always_inline int note_writer(struct fim_mark *mark, const struct fim_key *key)
{
	volatile struct fim_mark *m = mark;
	u32 tgid = bpf_get_current_pid_tgid() >> 32;
	u32 me = tgid ^ (u32)((key->ino * 0x9e3779b97f4a7c15ULL) >> 32) ^ key->dev ^ (key->gen << 7);

	if (!m->dirty) {
		/* Whether or not anyone looked after the last close: the next one is news again. */
		m->closed = 0;
		m->writer[0] = me;
		m->writer[1] = 0;
		m->writer[2] = 0;
	} else if (m->writer[0] == me || m->writer[1] == me || m->writer[2] == me) {
		return 0;
	} else if (!m->writer[1]) {
		m->writer[1] = me;
	} else {
		m->writer[2] = m->writer[1];
		m->writer[1] = m->writer[0];
		m->writer[0] = me;
	}
	/* Last, and always: if the record finds no room the mark is what is left of it. */
	m->dirty = 1;
	return 1;
}
