// Header-only door to what the Glibc module does not import. Nothing is compiled here.
//
// _GNU_SOURCE cannot be defined (it redefines types the Glibc module already gave out), so
// calls hidden behind it are declared under our own names with an asm label; variadic ones get a typed inline door.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <malloc.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// recvmmsg(2), sendmmsg(2): need _GNU_SOURCE.
struct wan_mmsghdr {
    struct msghdr msg_hdr;
    unsigned int msg_len;
};
int wan_recvmmsg(int fd, struct wan_mmsghdr *messages, unsigned int count, int flags, struct timespec *timeout) __asm__("recvmmsg");
int wan_sendmmsg(int fd, struct wan_mmsghdr *messages, unsigned int count, int flags) __asm__("sendmmsg");
int wan_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) __asm__("accept4");
int wan_pipe2(int fds[2], int flags) __asm__("pipe2");
int wan_setns(int fd, int type) __asm__("setns");
int wan_unshare(int flags) __asm__("unshare");
int wan_memfd_create(const char *name, unsigned int flags) __asm__("memfd_create");
int wan_spawn_closefrom(posix_spawn_file_actions_t *actions, int first) __asm__("posix_spawn_file_actions_addclosefrom_np");
int wan_setresuid(unsigned int real, unsigned int effective, unsigned int saved) __asm__("setresuid");
int wan_setresgid(unsigned int real, unsigned int effective, unsigned int saved) __asm__("setresgid");
int wan_setgroups(size_t count, const gid_t *groups) __asm__("setgroups");

// struct ucred and struct in_pktinfo: need _GNU_SOURCE.
struct wan_ucred {
    int32_t pid;
    uint32_t uid;
    uint32_t gid;
};
struct wan_in_pktinfo {
    int32_t ipi_ifindex;
    struct in_addr ipi_spec_dst;
    struct in_addr ipi_addr;
};

// syscall(2), prctl(2) and ioctl(2) are variadic.
static inline int wan_pidfd_open(int pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }
static inline int wan_pidfd_send_signal(int pidfd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, 0, 0);
}
static inline int wan_close_range(unsigned int first, unsigned int last, unsigned int flags) {
    return (int)syscall(SYS_close_range, first, last, flags);
}
static inline int wan_capget(void *header, void *data) { return (int)syscall(SYS_capget, header, data); }
static inline int wan_capset(void *header, const void *data) { return (int)syscall(SYS_capset, header, data); }
static inline int wan_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d) {
    return prctl(option, a, b, c, d);
}
static inline int wan_ioctl(int fd, unsigned long request, void *argument) { return ioctl(fd, request, argument); }

// landlock(7). The header of Linux 6.1 knows less than the kernel that a program may meet: our own struct, whose zeros every kernel takes.
struct wan_landlock_rules {
    uint64_t handled_access_fs;
    uint64_t handled_access_net;
    uint64_t scoped;
};
static inline int wan_landlock_version(void) { return (int)syscall(SYS_landlock_create_ruleset, 0, 0, 1); }
static inline int wan_landlock_create_ruleset(const struct wan_landlock_rules *rules) {
    return (int)syscall(SYS_landlock_create_ruleset, rules, sizeof *rules, 0);
}
static inline int wan_landlock_allow(int ruleset, uint64_t access, int fd) {
    struct __attribute__((packed)) {
        uint64_t allowed_access;
        int32_t parent_fd;
    } path = {access, fd};
    return (int)syscall(SYS_landlock_add_rule, ruleset, 1, &path, 0);
}
static inline int wan_landlock_restrict_self(int ruleset) { return (int)syscall(SYS_landlock_restrict_self, ruleset, 0); }

// Constants that are casts or expressions in C and so invisible to Swift.
enum {
    WAN_CLONE_NEWNET = 0x40000000,
    WAN_CLONE_NEWUSER = 0x10000000,
    WAN_CLONE_NEWNS = 0x00020000,
    WAN_TUNSETIFF = 0x400454ca,
    WAN_TUNSETCARRIER = 0x400454e2,
    WAN_SO_PEERCRED = 17,
    WAN_SO_PEERGROUPS = 59,
    WAN_O_PATH = 010000000,
    WAN_POSIX_SPAWN_SETSID = 0x80,  // spawn.h, needs _GNU_SOURCE
    WAN_MFD_CLOEXEC = 1,
};
// A signed 32-bit enum cannot hold these on every compiler, so they are typed constants.
static const unsigned int wan_MSG_CMSG_CLOEXEC = 0x40000000;
