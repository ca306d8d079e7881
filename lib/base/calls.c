#include "base/calls.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined __x86_64__
#define NATIVE AUDIT_ARCH_X86_64
#elif defined __AARCH64EL__
#define NATIVE AUDIT_ARCH_AARCH64
#endif

enum { FCHMODAT2 = 452 }; /* younger than the headers of some systems */

#ifdef NATIVE
#define REFUSE BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define UNLESS(value) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0)
#define REFUSE_IF(value) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1), REFUSE
#define REFUSE_FROM(value) BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, value, 0, 1), REFUSE

/* What is refused, not what is allowed: what another C library asks the kernel must not end a training. */
static struct sock_filter filter[] = {
    LOAD(arch),
    UNLESS(NATIVE),
    REFUSE,
    LOAD(nr),
    REFUSE_FROM(0x40000000), /* the same calls by other numbers: x32 */
    REFUSE_IF(SYS_execve),
    REFUSE_IF(SYS_execveat),
    REFUSE_IF(SYS_socket),
    REFUSE_IF(SYS_socketpair),
    REFUSE_IF(SYS_io_uring_setup), /* calls that no filter sees */
    REFUSE_IF(SYS_ptrace),
/* What older Landlocks, or all, do not cover */
#ifdef SYS_chmod
    REFUSE_IF(SYS_chmod),
    REFUSE_IF(SYS_chown),
    REFUSE_IF(SYS_lchown),
#endif
    REFUSE_IF(SYS_fchmod),
    REFUSE_IF(SYS_fchmodat),
    REFUSE_IF(FCHMODAT2),
    REFUSE_IF(SYS_fchown),
    REFUSE_IF(SYS_fchownat),
    REFUSE_IF(SYS_truncate),
    UNLESS(SYS_ioctl),
    ALLOW,
    LOAD(args[1]),
    REFUSE_IF(TIOCSTI), /* to type into the terminal what its shell would run */
    REFUSE_IF(TIOCLINUX),
    ALLOW,
};
#endif

/* Without SPEC_ALLOW, kernels before 5.16 would make the processor careful, and slow. */
void rs_calls_refuse(void)
{
#ifdef NATIVE
    const struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW,
            &program);
#endif
}
