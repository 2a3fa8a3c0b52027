/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who does it: told once for each process image, so that a change costs 40 bytes. */
#pragma once

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u64); /* process and image: threads may act for several users */
	__type(value, u8);
} told SEC(".maps");

#define PATH_DEPTH 32

static __always_inline void put_path(struct fim_process *p, struct file *exe)
{
	struct dentry *dentry = BPF_CORE_READ(exe, f_path.dentry);
	struct vfsmount *vfs = BPF_CORE_READ(exe, f_path.mnt);
	struct mount *mnt = (void *)vfs - bpf_core_field_offset(struct mount, mnt);
	u32 at = 0;

	for (int i = 0; i < PATH_DEPTH; i++) {
		struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
		long len;

		if (dentry == BPF_CORE_READ(mnt, mnt.mnt_root) || dentry == parent) {
			struct mount *above = BPF_CORE_READ(mnt, mnt_parent);
			if (above == mnt || !above) {
				p->flags |= PROC_HAS_PATH;
				break;
			}
			dentry = BPF_CORE_READ(mnt, mnt_mountpoint);
			mnt = above;
			continue;
		}
		if (at >= PROC_PATH)
			break;
		/* Said once more where it is used, and hidden from the compiler, which would spill it between. */
		u32 off = at;
		const void *name = BPF_CORE_READ(dentry, d_name.name);
		asm volatile("" : "+r"(off));
		off &= PROC_PATH - 1;
		len = bpf_probe_read_kernel_str(&p->path[off], SLOT_LONG, name);
		if (len <= 1)
			break;
		at += len & (2 * SLOT_LONG - 1);
		dentry = parent;
	}
	p->path_len = at;
}

static __always_inline void put_args(struct fim_process *p, struct mm_struct *mm)
{
	unsigned long start = BPF_CORE_READ(mm, arg_start);
	unsigned long end = BPF_CORE_READ(mm, arg_end);
	u64 len = end - start;

	if (!start || end <= start)
		return;
	if (len > PROC_ARGS)
		len = PROC_ARGS;
	/* Paged out or unmapped: absent, not empty. */
	if (bpf_probe_read_user(p->args, len, (void *)start))
		return;
	p->args_len = len;
	p->flags |= PROC_HAS_ARGS;
}

static __always_inline void put_process(struct fim_process *p, struct task_struct *task, struct task_struct *leader)
{
	struct task_struct *parent = BPF_CORE_READ(leader, real_parent, group_leader);
	const struct cred *cred = BPF_CORE_READ(task, real_cred);
	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	p->parent = BPF_CORE_READ(parent, tgid);
	p->parent_start = BPF_CORE_READ(parent, start_boottime);
	p->uid = BPF_CORE_READ(cred, uid.val);
	p->gid = BPF_CORE_READ(cred, gid.val);
	p->loginuid = ~0U;
	p->sessionid = ~0U;
	if (bpf_core_field_exists(task->loginuid)) {
		p->loginuid = BPF_CORE_READ(task, loginuid.val);
		p->sessionid = BPF_CORE_READ(task, sessionid);
	}
	bpf_probe_read_kernel_str(p->comm, sizeof(p->comm), &leader->comm);
	bpf_probe_read_kernel_str(p->parent_comm, sizeof(p->parent_comm), &parent->comm);
	p->cgroup[0] = 0;
	bpf_probe_read_kernel_str(p->cgroup, sizeof(p->cgroup), BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, name));
	if (BPF_CORE_READ(task, flags) & PF_KTHREAD) {
		p->flags |= PROC_KTHREAD;
		return;
	}
	if (!mm)
		return;
	put_args(p, mm);
	put_path(p, BPF_CORE_READ(mm, exe_file));
}

/* For whom a process acts, which it may change without executing anything. */
static __always_inline u64 whose(struct task_struct *task)
{
	u64 who = BPF_CORE_READ(task, real_cred, uid.val);

	if (bpf_core_field_exists(task->loginuid))
		who += (u64)BPF_CORE_READ(task, loginuid.val) << 32;
	return who * 0x9e3779b97f4a7c15ULL;
}

/*
 * The number of the current process image, told to user space if it was not yet. Global,
 * so that the verifier looks at it once and not in every program.
 */
__noinline u64 announce(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	u32 tgid = bpf_get_current_pid_tgid() >> 32;
	u64 start = BPF_CORE_READ(leader, start_boottime);
	u64 image = start ^ (BPF_CORE_READ(task, self_exec_id) << 48) ^ whose(task);
	u64 key = image ^ ((u64)tgid << 32);
	u8 one = 1;
	struct fim_process *p;

	if (bpf_map_lookup_elem(&told, &key))
		return image;
	p = bpf_ringbuf_reserve(&events, sizeof(*p), 0);
	if (!p)
		return image; /* not remembered: the next change tries again */
	p->kind = KIND_PROCESS;
	p->flags = 0;
	p->tgid = tgid;
	p->image = image;
	p->start = start;
	p->args_len = 0;
	p->path_len = 0;
	put_process(p, task, leader);
	bpf_ringbuf_submit(p, 0);
	bpf_map_update_elem(&told, &key, &one, BPF_ANY);
	return image;
}

/* As announce, but 0 for threads of the kernel that finish other processes' work. */
static __always_inline u64 announce_user(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (BPF_CORE_READ(task, flags) & PF_KTHREAD)
		return 0;
	return announce();
}
