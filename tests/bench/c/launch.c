/* launch: run commands, and report to descriptor 3 what each of them used.
 *
 *	launch once|at-once|count COMMAND [ARG...] [; COMMAND [ARG...]]...
 *
 * "once" runs one command after the other, "at-once" all at the same time. "count"
 * runs them like "once", but counts system calls, which takes much longer.
 *
 * Each line has: exit status, times of start and end in ns, user and system CPU time in
 * us, peak memory in KiB, minor and major page faults, voluntary and involuntary context
 * switches, system calls. All but the times of start and end include the descendants
 * that were waited for.
 *
 * It is C because a child starts with the peak memory of the program that started it
 * (exec_mmap() in the kernel), even after vfork(2). That of a Go program would hide
 * the commands'. */
#define _GNU_SOURCE
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { REPORT = 3, MOST = 64 };

struct command {
	char **args;
	pid_t pid;
	int status;
	long long start, end;
	struct rusage used;
	long calls;
};

static long long now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void start(struct command *c, int traced)
{
	c->start = now();
	c->pid = vfork();
	if (c->pid < 0)
		error(1, errno, "vfork");
	if (c->pid == 0) {
		if (traced)
			ptrace(PTRACE_TRACEME, 0, 0, 0);
		execv(c->args[0], c->args);
		_exit(127);
	}
}

static void ended(struct command *c, int status, const struct rusage *used)
{
	c->end = now();
	c->status = status;
	c->used = *used;
	c->pid = 0;
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void once(struct command *c)
{
	struct rusage used;
	int status;

	start(c, 0);
	if (wait4(c->pid, &status, 0, &used) < 0)
		error(1, errno, "wait4");
	ended(c, status, &used);
}

static void at_once(struct command *all, int n)
{
	struct rusage used;
	int status, left = n;

	for (int i = 0; i < n; i++)
		start(&all[i], 0);
	while (left > 0) {
		pid_t pid = wait4(-1, &status, 0, &used);
		if (pid < 0)
			error(1, errno, "wait4");
		for (int i = 0; i < n; i++)
			if (all[i].pid == pid) {
				ended(&all[i], status, &used);
				left--;
			}
	}
}

/* count runs a command and counts the calls of all its descendants. Those that outlive
 * it stay traced for the next command. */
static void count(struct command *c)
{
	static const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
		PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;
	struct rusage used;
	int status;

	start(c, 1);
	for (int options_set = 0;;) {
		pid_t pid = wait4(-1, &status, __WALL, &used);
		if (pid < 0)
			error(1, errno, "wait4");
		if (!WIFSTOPPED(status)) {
			if (pid != c->pid)
				continue;
			ended(c, status, &used);
			c->calls /= 2; /* a stop at the entry and one at the exit */
			return;
		}
		int sig = WSTOPSIG(status), event = status >> 16;
		if (pid == c->pid && !options_set) {
			/* The exec of the command itself. */
			if (ptrace(PTRACE_SETOPTIONS, pid, 0, options))
				error(1, errno, "PTRACE_SETOPTIONS");
			options_set = 1;
			sig = 0;
		} else if (sig == (SIGTRAP | 0x80)) {
			c->calls++;
			sig = 0;
		} else if (event || sig == SIGSTOP) {
			/* An event, or the first stop of a new process. */
			sig = 0;
		}
		ptrace(PTRACE_SYSCALL, pid, 0, sig); /* fails if it was killed meanwhile */
	}
}

static void report(const struct command *c)
{
	const struct rusage *u = &c->used;

	dprintf(REPORT, "%d %lld %lld %ld %ld %ld %ld %ld %ld %ld %ld\n", exit_status(c->status), c->start, c->end,
		u->ru_utime.tv_sec * 1000000L + u->ru_utime.tv_usec, u->ru_stime.tv_sec * 1000000L + u->ru_stime.tv_usec,
		u->ru_maxrss, u->ru_minflt, u->ru_majflt, u->ru_nvcsw, u->ru_nivcsw, c->calls);
}

int main(int argc, char **argv)
{
	static struct command all[MOST];
	int n = 0;

	if (argc < 3)
		error(2, 0, "usage: launch once|at-once|count COMMAND [ARG...] [; COMMAND [ARG...]]...");
	fcntl(REPORT, F_SETFD, FD_CLOEXEC);
	all[n++].args = argv + 2;
	for (int i = 2; i < argc; i++)
		if (strcmp(argv[i], ";") == 0) {
			argv[i] = NULL;
			if (n == MOST)
				error(2, 0, "more than %d commands", MOST);
			all[n++].args = argv + i + 1;
		}
	if (strcmp(argv[1], "at-once") == 0)
		at_once(all, n);
	else
		for (int i = 0; i < n; i++)
			(strcmp(argv[1], "count") == 0 ? count : once)(&all[i]);
	for (int i = 0; i < n; i++)
		report(&all[i]);
	return 0;
}
