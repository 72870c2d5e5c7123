#pragma once
#include <nftables/libnftables.h>

// memfd_create(2) needs _GNU_SOURCE, which cannot be defined (see CLinux).
int wan_nft_memfd_create(const char *name, unsigned int flags) __asm__("memfd_create");
