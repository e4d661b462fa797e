// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/* The programs that fodc's agent runs in the kernel. The kernel takes only programs under the GPL, so that is the
 * licence that is named to it, of the two that this file and those that it includes have. */
#include "deaths.h"
#include "disks.h"
#include "memory.h"
#include "network.h"
#include "syncs.h"
#include "threads.h"
#include "waits.h"

char _license[] SEC("license") = "GPL";
