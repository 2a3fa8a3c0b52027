/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Changes of size, mode, owner, times, attributes and flags. All after the fact. */
#pragma once

/*
 * Errors that say that something was not finished, such as the access control list that goes with a mode; the others refuse all of
 * it, and who is refused is not to be named.
 */
static __always_inline int is_half_done(int ret)
{
	return ret == -ENOSPC || ret == -EDQUOT || ret == -EIO || ret == -ENOMEM;
}

static __always_inline int setattr(struct dentry *dentry, struct iattr *attr, int ret)
{
	u32 op = attr->ia_valid & ATTR_SIZE ? OP_TRUNCATE : OP_ATTRIBUTES;

	return ret && !is_half_done(ret) ? 0 : touch(dentry->d_inode, op, op);
}

/* notify_change: the mount's mapping came first in 5.12. */
SEC("fexit/notify_change")
int BPF_PROG(notify_change_3, struct dentry *dentry, struct iattr *attr, void *delegated, int ret)
{
	return setattr(dentry, attr, ret);
}

SEC("fexit/notify_change")
int BPF_PROG(notify_change_4, void *map, struct dentry *dentry, struct iattr *attr, void *delegated, int ret)
{
	return setattr(dentry, attr, ret);
}

SEC("fexit/__vfs_setxattr_noperm")
int BPF_PROG(setxattr_5, struct dentry *dentry, void *name, void *value, size_t size, int flags, int ret)
{
	return ret && !is_half_done(ret) ? 0 : touch(dentry->d_inode, OP_XATTR, OP_XATTR);
}

SEC("fexit/__vfs_setxattr_noperm")
int BPF_PROG(setxattr_6, void *map, struct dentry *dentry, void *name, void *value, size_t size, int flags, int ret)
{
	return ret && !is_half_done(ret) ? 0 : touch(dentry->d_inode, OP_XATTR, OP_XATTR);
}

SEC("fexit/vfs_removexattr")
int BPF_PROG(removexattr_2, struct dentry *dentry, void *name, int ret)
{
	return ret && !is_half_done(ret) ? 0 : touch(dentry->d_inode, OP_XATTR, OP_XATTR);
}

SEC("fexit/vfs_removexattr")
int BPF_PROG(removexattr_3, void *map, struct dentry *dentry, void *name, int ret)
{
	return ret && !is_half_done(ret) ? 0 : touch(dentry->d_inode, OP_XATTR, OP_XATTR);
}

/* Until 6.1 these go through the two above. */
SEC("fexit/vfs_set_acl")
int BPF_PROG(set_acl, void *map, struct dentry *dentry, void *name, void *acl, int ret)
{
	return ret && !is_half_done(ret) ? 0 : touch(dentry->d_inode, OP_XATTR, OP_ACL);
}

SEC("fexit/vfs_remove_acl")
int BPF_PROG(remove_acl, void *map, struct dentry *dentry, void *name, int ret)
{
	return ret && !is_half_done(ret) ? 0 : touch(dentry->d_inode, OP_XATTR, OP_ACL);
}

SEC("fexit/vfs_fileattr_set")
int BPF_PROG(fileattr_set, void *map, struct dentry *dentry, void *attr, int ret)
{
	return ret && !is_half_done(ret) ? 0 : touch(dentry->d_inode, OP_FLAGS, OP_FLAGS);
}

/*
 * Where vfs_fileattr_set is not, a file system's own ioctl sets flags, and ends with this. So do
 * other changes through a descriptor, which have their mark already.
 */
SEC("fentry/mnt_drop_write_file")
int BPF_PROG(drop_write, struct file *file)
{
	return touch(file->f_inode, OP_FLAGS, OP_FLAGS);
}

/* What a process is about to change through a descriptor, as it is called until then. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, u64);
	__type(value, struct fim_key);
} changing SEC(".maps");

SEC("fentry/mnt_want_write_file")
int BPF_PROG(want_write, struct file *file)
{
	u64 me = bpf_get_current_pid_tgid();
	struct fim_key key;

	if (mark_of(file->f_inode, &key))
		bpf_map_update_elem(&changing, &me, &key, BPF_ANY);
	return 0;
}

/*
 * FS_IOC_SETVERSION gives a file another generation, and so another key. Its mark goes along;
 * user space is told that the file it knew is no more, and looks who is there now.
 */
SEC("fentry/mnt_drop_write_file")
int BPF_PROG(regenerated, struct file *file)
{
	struct inode *inode = file->f_inode;
	struct fim_key *before, was, now;
	struct fim_mark *mark;
	u64 me;

	if (!may_be_marked(inode))
		return 0;
	me = bpf_get_current_pid_tgid();
	before = bpf_map_lookup_elem(&changing, &me);
	if (!before)
		return 0;
	key_of(inode, &now);
	was = *before;
	if (was.ino != now.ino || was.dev != now.dev || was.gen == now.gen)
		return 0;
	mark = bpf_map_lookup_elem(&marks, &was);
	if (!mark)
		return 0;
	add_mark(inode->i_sb, &now, mark->scope);
	/* Without the record, what stays of the old one is found dirty. */
	if (send_change(OP_EVICT, 0, &was, announce()))
		drop_mark(&was);
	return 0;
}
