/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What one agent leaves to the next beside marks and records, where they are pinned. No program touches it. */
#pragma once

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct fim_kept);
} kept SEC(".maps");

/* The processes that were told, for the records that name them and are still to be read. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1); /* set before load */
	__type(key, u32);
	__type(value, struct fim_process);
} processes SEC(".maps");
