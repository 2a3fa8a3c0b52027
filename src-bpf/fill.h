/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How user space sets, clears and removes marks: in the kernel, which alone knows a file's key. */
#pragma once

/* Which of our descriptors are to be marked, and how. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, u32);
} wanted SEC(".maps");

SEC("iter/task_file")
int fill(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct fim_filled out = {};
	struct super_block *sb;
	struct fim_mark *mark;
	u32 *scope;

	self_start = BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), group_leader, start_boottime);
	self_tgid = tgid;
	if (!task || !file || task->tgid != tgid)
		return 0;
	self_mnt_ns = (u64)BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), nsproxy, mnt_ns);
	out.fd = ctx->fd;
	scope = bpf_map_lookup_elem(&wanted, &out.fd);
	if (!scope)
		return 0;
	sb = file->f_inode->i_sb;
	key_of(file->f_inode, &out.key);
	filter[filter_slot(sb, out.key.ino)] = 1;
	mark = bpf_map_lookup_elem(&marks, &out.key);
	if (mark)
		*(volatile u8 *)&mark->scope = *scope;
	out.armed = mark || !add_mark(sb, &out.key, *scope);
	/* When the buffer is full the kernel shows us this file again. */
	if (!bpf_seq_write(ctx->meta->seq, &out, sizeof(out)))
		bpf_map_delete_elem(&wanted, &out.fd);
	return 0;
}

/* The marked files that somebody has open for writing: what a skipped run may have been about. */
SEC("iter/task_file")
int writers(struct bpf_iter__task_file *ctx)
{
	struct file *file = ctx->file;
	struct fim_key key;

	if (!ctx->task || !file || !(file->f_mode & FMODE_WRITE) || !mark_of(file->f_inode, &key))
		return 0;
	bpf_seq_write(ctx->meta->seq, &key, sizeof(key));
	return 0;
}

/*
 * Run by user space with (what, ino, dev << 32 | gen); attached to nothing. A mark is cleared
 * in place: replacing the element would let a program mark the old one.
 */
SEC("raw_tp")
int control(u64 *ctx)
{
	struct fim_key key = { .ino = ctx[1], .dev = ctx[2] >> 32, .gen = ctx[2] };

	switch (ctx[0]) {
	case CONTROL_CLEAR: {
		volatile struct fim_mark *mark = bpf_map_lookup_elem(&marks, &key);
		if (mark) {
			mark->closed = 0;
			mark->dirty = 0;
		}
		break;
	}
	case CONTROL_REMOVE:
		drop_mark(&key);
		break;
	case CONTROL_PROBE:
		probing = 1;
		break;
	case CONTROL_PROBED:
		probing = 0;
		break;
	}
	return 0;
}
