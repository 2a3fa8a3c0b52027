/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names that come, go and move, and inodes that end. */
#pragma once

static __always_inline void name_of(struct dentry *dentry, const void **name, u32 *len)
{
	*name = BPF_CORE_READ(dentry, d_name.name);
	*len = BPF_CORE_READ(dentry, d_name.len);
}

static __always_inline u8 child_scope(u32 mode)
{
	return (mode & S_IFMT) == S_IFDIR ? SCOPE_TREE : SCOPE_FILE;
}

static __always_inline u32 birth_op(u32 mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return OP_CREATE;
	case S_IFDIR:
		return OP_MKDIR;
	case S_IFLNK:
		return OP_SYMLINK;
	}
	return OP_MKNOD;
}

/*
 * The one moment after the file system made the inode and before anyone can see its name.
 * It comes for cold look-ups of old names too: a child that has its mark is no news, one
 * that lacks it gets it.
 */
SEC("fentry/security_d_instantiate")
int BPF_PROG(d_instantiate, struct dentry *dentry, struct inode *inode)
{
	struct names n = {};
	struct fim_mark *parent;
	int self;

	if (!inode || dentry->d_parent == dentry)
		return 0;
	parent = mark_of(dentry->d_parent->d_inode, &n.dir);
	if (!parent || parent->scope < SCOPE_NAMES)
		return 0;
	n.op = birth_op(inode->i_mode);
	self = is_self(n.op);
	if (self && !probing)
		return 0;
	key_of(inode, &n.file);
	if (has_mark(inode->i_sb, &n.file))
		return 0;
	if (parent->scope == SCOPE_TREE)
		add_mark(inode->i_sb, &n.file, child_scope(inode->i_mode));
	/* O_TMPFILE: marked, but without a name until it is linked. */
	if (self || !inode->i_nlink)
		return 0;
	name_of(dentry, &n.name, &n.longest);
	/*
	 * A creation fills a name that was looked up before and is hashed as negative; a look-up
	 * fills one that is not hashed yet. Who looks up an old name did not make it.
	 */
	n.image = BPF_CORE_READ(dentry, d_hash.pprev) ? announce() : 0;
	send_names(&n);
	return 0;
}

static __always_inline int linked(struct dentry *old, struct inode *dir, struct dentry *dentry, int ret)
{
	struct names n = { .op = OP_LINK };
	struct inode *inode = old->d_inode;
	struct fim_mark *parent, *child;

	if (ret)
		return 0;
	parent = mark_of(dir, &n.dir);
	child = mark_of(inode, &n.file);
	if ((!parent || parent->scope < SCOPE_NAMES) && !child)
		return 0;
	if (is_self(OP_LINK))
		return 0;
	key_of(dir, &n.dir);
	key_of(inode, &n.file);
	if (!child && parent && parent->scope == SCOPE_TREE)
		add_mark(inode->i_sb, &n.file, child_scope(inode->i_mode));
	name_of(dentry, &n.name, &n.longest);
	n.image = announce();
	send_names(&n);
	return 0;
}

SEC("fexit/vfs_link")
int BPF_PROG(vfs_link_4, struct dentry *old, struct inode *dir, struct dentry *dentry, void *delegated, int ret)
{
	return linked(old, dir, dentry, ret);
}

SEC("fexit/vfs_link")
int BPF_PROG(vfs_link_5, struct dentry *old, void *map, struct inode *dir, struct dentry *dentry, void *delegated,
	     int ret)
{
	return linked(old, dir, dentry, ret);
}

/*
 * d_delete is where unlink and rmdir end on every kernel, once they have succeeded, with the
 * inode still there; vfs_rmdir is inlined on some and has four shapes.
 */
SEC("fentry/d_delete")
int BPF_PROG(d_delete, struct dentry *dentry)
{
	struct names n = {};
	struct inode *inode = dentry->d_inode;
	struct fim_mark *parent;

	if (!inode)
		return 0;
	parent = mark_of(dentry->d_parent->d_inode, &n.dir);
	if (!parent || parent->scope < SCOPE_NAMES)
		return 0;
	n.op = (inode->i_mode & S_IFMT) == S_IFDIR ? OP_RMDIR : OP_UNLINK;
	if (is_self(n.op))
		return 0;
	key_of(inode, &n.file);
	name_of(dentry, &n.name, &n.longest);
	n.image = announce();
	send_names(&n);
	return 0;
}

/* What a rename knows before and not after. */
struct rename_note {
	struct fim_key file, old_dir, new_dir, target;
	u32 file_mode, target_mode;
	u8 new_tree, old_tree;
	u8 exchange;
	u8 _pad;
	u32 old_len;
	char old_name[SLOT_LONG];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, u64);
	__type(value, struct rename_note);
} renames SEC(".maps");

const struct rename_note blank_note = {};

static __always_inline int rename_begins(struct dentry *old, struct dentry *new, unsigned int flags)
{
	struct inode *old_dir = old->d_parent->d_inode;
	struct inode *new_dir = new->d_parent->d_inode;
	struct inode *inode = old->d_inode;
	struct inode *target = new->d_inode;
	struct fim_key key;
	struct fim_mark *from = mark_of(old_dir, &key);
	struct fim_mark *to = mark_of(new_dir, &key);
	struct fim_mark *child = mark_of(inode, &key);
	u64 id = (u64)old;
	struct rename_note *note;

	if (!from && !to && !child && !(target && mark_of(target, &key)))
		return 0;
	bpf_map_update_elem(&renames, &id, &blank_note, BPF_ANY);
	note = bpf_map_lookup_elem(&renames, &id);
	if (!note) {
		/* Too many at once: both directories are to be listed again. */
		if (from)
			*(volatile u8 *)&from->dirty = 1;
		if (to)
			*(volatile u8 *)&to->dirty = 1;
		COUNT(lost, 1);
		return 0;
	}
	key_of(inode, &note->file);
	key_of(old_dir, &note->old_dir);
	key_of(new_dir, &note->new_dir);
	note->file_mode = inode->i_mode;
	if (target) {
		key_of(target, &note->target);
		note->target_mode = target->i_mode;
	}
	note->old_tree = from && from->scope == SCOPE_TREE;
	note->new_tree = to && to->scope == SCOPE_TREE;
	note->exchange = !!(flags & RENAME_EXCHANGE);
	note->old_len = BPF_CORE_READ(old, d_name.len);
	bpf_probe_read_kernel_str(note->old_name, sizeof(note->old_name), BPF_CORE_READ(old, d_name.name));
	return 0;
}

static __always_inline int rename_ends(struct dentry *old, int ret)
{
	u64 id = (u64)old;
	struct rename_note *note = bpf_map_lookup_elem(&renames, &id);
	struct names n = {};
	struct super_block *sb;
	u32 len;

	if (!note)
		return 0;
	if (ret)
		goto out;
	n.op = note->exchange ? OP_EXCHANGE : OP_RENAME;
	if (is_self(n.op))
		goto out;
	n.flags = (note->file_mode & S_IFMT) == S_IFDIR ? FLAG_DIR : 0;
	n.file = note->file;
	n.dir = note->new_dir;
	n.from = note->old_dir;
	sb = old->d_parent->d_inode->i_sb;
	if (note->new_tree && !has_mark(sb, &n.file))
		add_mark(sb, &n.file, child_scope(note->file_mode));
	if (note->exchange && note->old_tree && !has_mark(sb, &note->target))
		add_mark(sb, &note->target, child_scope(note->target_mode));
	/* By now the dentry bears the new name. */
	name_of(old, &n.name, &n.longest);
	len = note->old_len;
	if (len > n.longest)
		n.longest = len;
	n.from_name = note->old_name;
	n.image = announce();
	send_names(&n);
out:
	bpf_map_delete_elem(&renames, &id);
	return 0;
}

/* Six arguments, or one that holds them: chosen by BTF, for stable branches took it back. */
SEC("fentry/vfs_rename")
int BPF_PROG(rename_in_1, struct renamedata *rd)
{
	return rename_begins(rd->old_dentry, rd->new_dentry, rd->flags);
}

SEC("fexit/vfs_rename")
int BPF_PROG(rename_out_1, struct renamedata *rd, int ret)
{
	return rename_ends(rd->old_dentry, ret);
}

SEC("fentry/vfs_rename")
int BPF_PROG(rename_in_6, struct inode *old_dir, struct dentry *old, struct inode *new_dir, struct dentry *new,
	     void *delegated, unsigned int flags)
{
	return rename_begins(old, new, flags);
}

SEC("fexit/vfs_rename")
int BPF_PROG(rename_out_6, struct inode *old_dir, struct dentry *old, struct inode *new_dir, struct dentry *new,
	     void *delegated, unsigned int flags, int ret)
{
	return rename_ends(old, ret);
}

/* The last name and the last user are gone. */
static __always_inline int ended(struct inode *inode)
{
	struct fim_key key;

	if (inode->i_nlink || !mark_of(inode, &key))
		return 0;
	drop_mark(&key);
	if (is_self(OP_EVICT))
		return 0;
	send_change(OP_EVICT, FLAG_SETTLED, &key, announce_user());
	return 0;
}

SEC("fentry/security_inode_free")
int BPF_PROG(inode_free, struct inode *inode)
{
	return ended(inode);
}

SEC("fentry/evict")
int BPF_PROG(evict, struct inode *inode)
{
	return ended(inode);
}
