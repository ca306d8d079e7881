/* Calls to the kernel that a filter never makes, refused by seccomp. */
#ifndef RS_BASE_CALLS_H
#define RS_BASE_CALLS_H

/* From here on, in all threads, those fail as EPERM that run a program, make a socket, look into a process, change
 * whose a file is or who may use it, cut a file by its name, or type into a terminal. Needs no_new_privs; without
 * seccomp, or on a processor that this does not know, nothing happens. */
void rs_calls_refuse(void);

#endif
