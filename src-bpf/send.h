/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Records into the ring, built in place: a scratch buffer could be overwritten by whoever preempts us. */
#pragma once

static __always_inline void fill_change(struct fim_change *c, u8 kind, u32 op, u32 flags, const struct fim_key *file,
					u64 image)
{
	c->kind = kind;
	c->op = op;
	c->flags = flags;
	c->tgid = image ? bpf_get_current_pid_tgid() >> 32 : 0;
	c->time = bpf_ktime_get_boot_ns();
	c->image = image;
	c->file = *file;
}

/* 1 when it is in the ring; else the file is dirty and one more is lost. */
static __noinline int send_change(u32 op, u32 flags, const struct fim_key *file, u64 image)
{
	struct fim_change *c = bpf_ringbuf_reserve(&events, sizeof(*c), 0);

	if (!c) {
		/* Dirty first: whoever sees the counter move must find the mark. */
		set_dirty(file);
		COUNT(lost, 1);
		return 0;
	}
	fill_change(c, KIND_CHANGE, op, flags, file, image);
	bpf_ringbuf_submit(c, 0);
	return 1;
}

struct names {
	struct fim_key file, dir, from;
	const void *name;
	const void *from_name;
	u64 image;
	u32 op;
	u32 flags;
	u32 longest;
};

static __always_inline int put_names(struct fim_names *n, char *slots, u32 slot, const struct names *in)
{
	long len;

	fill_change(&n->change, KIND_NAMES, in->op, in->flags, &in->file, in->image);
	n->dir = in->dir;
	n->from = in->from;
	n->slot = slot;
	n->_pad = 0;
	len = bpf_probe_read_kernel_str(slots, slot, in->name);
	n->name_len = len > 0 ? len - 1 : 0;
	n->from_len = 0;
	if (in->from_name) {
		len = bpf_probe_read_kernel_str(slots + slot, slot, in->from_name);
		n->from_len = len > 0 ? len - 1 : 0;
	}
	bpf_ringbuf_submit(n, 0);
	return 1;
}

struct names_short {
	struct fim_names head;
	char slots[2 * SLOT_SHORT];
};
struct names_long {
	struct fim_names head;
	char slots[2 * SLOT_LONG];
};

/* 1 when it is in the ring; else it is counted as lost and its directories are dirty. */
static __noinline int send_names(const struct names *in)
{
	if (in->longest < SLOT_SHORT) {
		struct names_short *s = bpf_ringbuf_reserve(&events, sizeof(*s), 0);
		if (s)
			return put_names(&s->head, s->slots, SLOT_SHORT, in);
	} else {
		struct names_long *l = bpf_ringbuf_reserve(&events, sizeof(*l), 0);
		if (l)
			return put_names(&l->head, l->slots, SLOT_LONG, in);
	}
	set_dirty(&in->dir);
	set_dirty(&in->from);
	set_dirty(&in->file);
	COUNT(lost, 1);
	return 0;
}
