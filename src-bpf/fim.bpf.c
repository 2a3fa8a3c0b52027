// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The programs of fim. Which of them are loaded is chosen in user space, by what the kernel's
 * BTF says: names and number of arguments, never its version.
 */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "record.h"
#include "marks.h"
#include "send.h"
#include "actor.h"
#include "fill.h"
#include "kept.h"
#include "content.h"
#include "attributes.h"
#include "names.h"
#include "mounts.h"

/* Held against their twins in user space. */
struct fim_change *shown_change;
struct fim_names *shown_names;
struct fim_process *shown_process;
struct fim_filled *shown_filled;
struct fim_kept *shown_kept;

char LICENSE[] SEC("license") = "Dual BSD/GPL";
