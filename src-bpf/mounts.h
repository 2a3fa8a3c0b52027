/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who mounts and unmounts. What came of it the mount table says. */
#pragma once

/* Other mount tables than the agent's do not change what its paths mean. */
static __always_inline int mounts(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct fim_key nobody = {};

	if ((u64)BPF_CORE_READ(task, nsproxy, mnt_ns) != self_mnt_ns || is_self(OP_MOUNT))
		return 0;
	send_change(OP_MOUNT, 0, &nobody, announce());
	return 0;
}

/* When it is done: mount(2) asks the security modules before it asks whether the caller may mount at all. */
SEC("fexit/path_mount")
int BPF_PROG(path_mount, void *name, struct path *path, void *type, unsigned long flags, void *data, int ret)
{
	return ret ? 0 : mounts();
}

SEC("fentry/security_move_mount")
int BPF_PROG(move_mount, struct path *from, struct path *to)
{
	return mounts();
}

SEC("fentry/security_sb_umount")
int BPF_PROG(sb_umount, struct vfsmount *mnt, int flags)
{
	return mounts();
}
