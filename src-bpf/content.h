/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Changes of content. Hooks run after the change (fexit): a mark made before it could be
 * cleared and looked at before the data lands. What completes later is kept as `mapped`
 * and completed by the last close.
 */
#pragma once

/*
 * A call that fails may have written before it did: O_DIRECT the pages before one that cannot be read, fallocate until there was
 * no room. Who may not write at all has not, and is not to be named.
 */
static __always_inline int may_have_written(struct file *file, long ret)
{
	return ret > 0 || (ret < 0 && file->f_mode & FMODE_WRITE);
}

static __always_inline int touch(struct inode *inode, u32 op, u32 site)
{
	struct fim_key key;
	struct fim_mark *mark = mark_of(inode, &key);

	if (!mark || is_self(site) || !note_writer(mark, &key))
		return 0;
	send_change(op, 0, &key, announce());
	return 0;
}

/* As touch, for changes that may go on unseen until the last close. */
static __always_inline int touch_open_ended(struct inode *inode, u32 op, u32 site)
{
	struct fim_key key;
	struct fim_mark *mark = mark_of(inode, &key);

	if (!mark || is_self(site))
		return 0;
	int first = !mark->mapped;
	if (first)
		*(volatile u8 *)&mark->closed = 0;
	*(volatile u8 *)&mark->mapped = 1;
	if (note_writer(mark, &key) || first)
		send_change(op, 0, &key, announce());
	return 0;
}

/* Not inlined, so that the program before the filter needs neither stack nor saved registers. */
static __noinline int written(struct file *file, ssize_t ret)
{
	return may_have_written(file, ret) ? touch(file->f_inode, OP_WRITE, OP_WRITE) : 0;
}

/* The one program on plain write(2): what it does for a file nobody watches is what fim costs. */
SEC("fexit/vfs_write")
int BPF_PROG(vfs_write, struct file *file, const char *buf, size_t count, loff_t *pos, ssize_t ret)
{
	if (!may_be_marked(file->f_inode))
		return 0;
	return written(file, ret);
}

SEC("fexit/vfs_writev")
int BPF_PROG(vfs_writev, struct file *file, void *vec, unsigned long n, loff_t *pos, int flags, ssize_t ret)
{
	return may_have_written(file, ret) ? touch(file->f_inode, OP_WRITE, OP_WRITEV) : 0;
}

/*
 * The file beneath an overlay is written for whoever writes above it. Until 6.1 splice and
 * sendfile come this way too; a thread of the kernel does none of these.
 */
static __always_inline u32 iter_op(struct file *file)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (BPF_CORE_READ(task, flags) & PF_KTHREAD)
		return OP_KERNEL;
	return file->f_mode & (FMODE_BACKING | FMODE_NONOTIFY) ? OP_WRITE : OP_SPLICE;
}

SEC("fexit/vfs_iter_write")
int BPF_PROG(vfs_iter_write, struct file *file, void *iter, loff_t *pos, int flags, ssize_t ret)
{
	u32 op = iter_op(file);

	return may_have_written(file, ret) ? touch(file->f_inode, op, op) : 0;
}

SEC("fexit/vfs_iocb_iter_write")
int BPF_PROG(vfs_iocb_iter_write, struct file *file, void *iocb, void *iter, ssize_t ret)
{
	u32 op = iter_op(file);

	return may_have_written(file, ret) ? touch_open_ended(file->f_inode, op, op) : 0;
}

SEC("fexit/__kernel_write")
int BPF_PROG(kernel_write, struct file *file, const void *buf, size_t count, loff_t *pos, ssize_t ret)
{
	return may_have_written(file, ret) ? touch(file->f_inode, OP_KERNEL, OP_KERNEL) : 0;
}

SEC("fexit/__kernel_write_iter")
int BPF_PROG(kernel_write_iter, struct file *file, void *from, loff_t *pos, ssize_t ret)
{
	return may_have_written(file, ret) ? touch(file->f_inode, OP_KERNEL, OP_KERNEL) : 0;
}

/* -EAGAIN: nothing was written, a worker tries again. Whatever else it says, something may have been, or will be. */
SEC("fexit/io_write")
int BPF_PROG(io_write, struct io_kiocb *req, unsigned int issue_flags, int ret)
{
	struct file *file = req->file;

	if (ret == -EAGAIN || !(file->f_mode & FMODE_WRITE))
		return 0;
	return touch_open_ended(file->f_inode, OP_IO_URING, OP_IO_URING);
}

SEC("fexit/aio_write")
int BPF_PROG(aio_write, struct kiocb *req, void *iocb, int vectored, int compat, int ret)
{
	struct file *file = req->ki_filp;

	if (!(file->f_mode & FMODE_WRITE))
		return 0;
	return touch_open_ended(file->f_inode, OP_AIO, OP_AIO);
}

SEC("fexit/iter_file_splice_write")
int BPF_PROG(splice_write, void *pipe, struct file *out, loff_t *pos, size_t len, unsigned int flags, ssize_t ret)
{
	return may_have_written(out, ret) ? touch(out->f_inode, OP_SPLICE, OP_SPLICE) : 0;
}

SEC("fexit/vfs_copy_file_range")
int BPF_PROG(copy_range, struct file *in, loff_t from, struct file *out, loff_t to, size_t len, unsigned int flags,
	     ssize_t ret)
{
	return may_have_written(out, ret) ? touch(out->f_inode, OP_COPY, OP_COPY) : 0;
}

SEC("fexit/vfs_clone_file_range")
int BPF_PROG(clone_range, struct file *in, loff_t from, struct file *out, loff_t to, loff_t len, unsigned int flags,
	     loff_t ret)
{
	return !ret || may_have_written(out, ret) ? touch(out->f_inode, OP_COPY, OP_COPY) : 0;
}

SEC("fexit/vfs_fallocate")
int BPF_PROG(fallocate, struct file *file, int mode, loff_t offset, loff_t len, int ret)
{
	return !ret || may_have_written(file, ret) ? touch(file->f_inode, OP_FALLOCATE, OP_FALLOCATE) : 0;
}

SEC("fentry/security_mmap_file")
int BPF_PROG(mmap_file, struct file *file, unsigned long prot, unsigned long flags)
{
	if (!file || !(prot & PROT_WRITE) || !(flags & MAP_SHARED) || !(file->f_mode & FMODE_WRITE))
		return 0;
	return touch_open_ended(file->f_inode, OP_MMAP, OP_MMAP);
}

SEC("fentry/security_file_mprotect")
int BPF_PROG(mprotect, struct vm_area_struct *vma, unsigned long reqprot, unsigned long prot)
{
	struct file *file = vma->vm_file;

	if (!file || !(prot & PROT_WRITE) || !(vma->vm_flags & VM_SHARED) || !(file->f_mode & FMODE_WRITE))
		return 0;
	return touch_open_ended(file->f_inode, OP_MMAP, OP_MPROTECT);
}

static __always_inline int closed(struct file *file)
{
	struct fim_key key;
	struct fim_mark *mark;
	u32 settled;

	if (!(file->f_mode & FMODE_WRITE))
		return 0;
	mark = mark_of(file->f_inode, &key);
	if (!mark || is_self(OP_CLOSE))
		return 0;
	/* This writer is still counted. */
	settled = file->f_inode->i_writecount.counter <= 1;
	/* One word of it is enough until user space looks; that it was the last is news. */
	if (mark->closed > settled)
		return 0;
	*(volatile u8 *)&mark->closed = 1 + settled;
	if (settled)
		*(volatile u8 *)&mark->mapped = 0;
	send_change(OP_CLOSE, settled ? FLAG_SETTLED : 0, &key, announce_user());
	return 0;
}

SEC("fentry/security_file_release")
int BPF_PROG(file_release, struct file *file)
{
	return closed(file);
}

SEC("fentry/locks_remove_file")
int BPF_PROG(locks_remove, struct file *file)
{
	return closed(file);
}
