"""A filter of system calls, made by libseccomp, for a program that only computes.

The container is the wall; this takes away the parts of the kernel that such a program has no use
for: other processes, sockets, namespaces, and what has often had faults.
"""

import ctypes
import os
from functools import cache

_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_EPERM = 1
REFUSED = (
    *("fork", "vfork", "clone", "clone3"),
    "socket",
    *("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp"),
    *("pidfd_open", "pidfd_getfd", "pidfd_send_signal"),
    *("unshare", "setns", "chroot", "pivot_root", "mount", "umount2", "mount_setattr"),
    *("open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick"),
    *("shmget", "msgget", "semget", "mq_open", "memfd_create", "memfd_secret"),
    *("bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "name_to_handle_at"),
    *("add_key", "keyctl", "request_key", "init_module", "finit_module", "kexec_load"),
)


@cache
def program() -> bytes:
    """The filter as the kernel takes it; empty where libseccomp is not installed."""
    try:
        library = ctypes.CDLL("libseccomp.so.2")
    except OSError:
        return b""
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(_ALLOW)))
    action = ctypes.c_uint32(_ERRNO | _EPERM)
    for name in REFUSED:  # a name that this machine's kernel does not have is passed over
        number = library.seccomp_syscall_resolve_name(name.encode())
        library.seccomp_rule_add_array(context, action, ctypes.c_int(number), 0, None)
    file = os.memfd_create("seccomp")
    try:
        done = library.seccomp_export_bpf(context, ctypes.c_int(file))
        return os.pread(file, os.fstat(file).st_size, 0) if done == 0 else b""
    finally:
        os.close(file)
        library.seccomp_release(context)
