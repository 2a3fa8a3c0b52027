/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What these programs know of the kernel: only the fields they touch. Offsets are
 * found on the running kernel (CO-RE), so the order here means nothing.
 * Reviewing this file is reviewing what a kernel change can break.
 */
#pragma once
#define __VMLINUX_H__

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef long long loff_t;
typedef long ssize_t;
typedef unsigned long size_t;

enum { BPF_ANY = 0, BPF_NOEXIST = 1 };
enum {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_RINGBUF = 27,
};

#define BTRFS_SUPER_MAGIC 0x9123683e
#define S_IFMT 0170000
#define S_IFLNK 0120000
#define S_IFREG 0100000
#define S_IFDIR 0040000

#define FMODE_WRITE 0x2
#define FMODE_BACKING 0x2000000
#define FMODE_NONOTIFY 0x4000000
#define ATTR_SIZE 0x8
#define PROT_WRITE 0x2
#define MAP_SHARED 0x1
#define VM_SHARED 0x8
#define PF_KTHREAD 0x00200000
#define RENAME_EXCHANGE 0x2
#define EIO 5
#define EAGAIN 11
#define ENOMEM 12
#define ENOSPC 28
#define EDQUOT 122

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct pt_regs {
	unsigned long di, si, dx, cx, r8, r9, r10, ax, sp, bp, ip;
};
struct user_pt_regs {
	u64 regs[31];
	u64 sp, pc, pstate;
};

typedef struct {
	int counter;
} atomic_t;
typedef struct {
	u32 val;
} kuid_t;
typedef struct {
	u32 val;
} kgid_t;

struct super_block {
	u32 s_dev;
	unsigned long s_magic;
};
struct inode {
	unsigned short i_mode;
	unsigned long i_ino;
	u32 i_generation;
	unsigned int i_nlink;
	struct super_block *i_sb;
	atomic_t i_writecount;
};
/* In the types of a module, if at all. */
struct btrfs_root {
	u32 anon_dev;
};
struct btrfs_inode {
	struct btrfs_root *root;
	struct inode vfs_inode;
};
struct qstr {
	u32 len;
	const unsigned char *name;
};
struct hlist_bl_node {
	struct hlist_bl_node **pprev;
};
struct dentry {
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
};
struct vfsmount {
	struct dentry *mnt_root;
};
struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};
struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};
struct file {
	unsigned int f_mode;
	struct inode *f_inode;
	struct path f_path;
};
struct kiocb {
	struct file *ki_filp;
};
struct task_struct;
struct io_kiocb {
	struct file *file;
};
struct vm_area_struct {
	struct file *vm_file;
	unsigned long vm_flags;
};
struct iattr {
	unsigned int ia_valid;
};
/* All three shapes of it have these three fields. */
struct renamedata {
	struct dentry *old_dentry;
	struct dentry *new_dentry;
	unsigned int flags;
};

struct cred {
	kuid_t uid;
	kgid_t gid;
};
struct mm_struct {
	unsigned long arg_start, arg_end;
	struct file *exe_file;
};
struct kernfs_node {
	const char *name;
};
struct cgroup {
	struct kernfs_node *kn;
};
struct nsproxy {
	struct mnt_namespace *mnt_ns;
};
struct css_set {
	struct cgroup *dfl_cgrp;
};
struct task_struct {
	unsigned int flags;
	int tgid;
	u64 start_boottime;
	u64 self_exec_id;
	struct task_struct *real_parent, *group_leader;
	const struct cred *real_cred;
	struct mm_struct *mm;
	struct css_set *cgroups;
	struct nsproxy *nsproxy;
	char comm[16];
	kuid_t loginuid;
	unsigned int sessionid;
};

struct seq_file;
struct bpf_iter_meta {
	struct seq_file *seq;
};
struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	u32 fd;
	struct file *file;
};

#pragma clang attribute pop
