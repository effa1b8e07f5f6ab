/* bound: do what a runtime's "run" does for the bundle "plain", with no other system
 * calls: the lower bound of a runtime's time.
 *
 *	bound ROOTFS CGROUP [HIERARCHY...]
 *
 * HIERARCHY are the directories of cgroup v1; without, the container is in cgroup v2.
 *
 * It is no runtime: it reads no configuration, keeps no state, and trusts every path in
 * ROOTFS. Each call here is for a line of the config.json that "berth spec" writes, or
 * for a default of the specification. */
#define _GNU_SOURCE
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *rootfs, *cgroup;
static char **hierarchies;
static int n_hierarchies;

static void check(long result, const char *what)
{
	if (result < 0)
		error(1, errno, "%s", what);
}

/* path_of returns HIERARCHY/CGROUP/NAME. */
static const char *path_of(const char *hierarchy, const char *name)
{
	static char path[4096];
	snprintf(path, sizeof path, "%s%s/%s", hierarchy, cgroup, name);
	return path;
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	check(fd, path);
	check(write(fd, text, strlen(text)), path);
	close(fd);
}

/* Devices: those that the specification demands, and no others except tun, as with all
 * runtimes. */
static const struct device { const char *name; int major, minor; } devices[] = {
	{ "dev/null", 1, 3 }, { "dev/zero", 1, 5 }, { "dev/full", 1, 7 },
	{ "dev/random", 1, 8 }, { "dev/urandom", 1, 9 }, { "dev/tty", 5, 0 },
	{ NULL, 5, 1 }, { NULL, 5, 2 }, { NULL, 10, 200 }, /* console, ptmx, tun */
};

enum { PTS = 136 };

static void limit_devices_v1(const char *hierarchy)
{
	char rule[64];
	int fd;

	write_file(path_of(hierarchy, "devices.deny"), "a");
	fd = open(path_of(hierarchy, "devices.allow"), O_WRONLY | O_CLOEXEC);
	check(fd, "devices.allow");
	check(write(fd, "c *:* m", 7), "devices.allow");
	check(write(fd, "b *:* m", 7), "devices.allow");
	for (size_t i = 0; i < COUNT(devices); i++)
		check(write(fd, rule, snprintf(rule, sizeof rule, "c %d:%d rwm", devices[i].major, devices[i].minor)), rule);
	check(write(fd, rule, snprintf(rule, sizeof rule, "c %d:* rwm", PTS)), rule);
	close(fd);
}

/* limit_devices_v2 attaches a program that allows the devices, and mknod of all. */
static void limit_devices_v2(int dir)
{
	struct bpf_insn code[64];
	union bpf_attr load, attach;
	int n = 0;

#define INSN(c, d, s, o, i) (code[n++] = (struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define RETURN(v) (INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, v), INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0))
	INSN(BPF_LDX | BPF_MEM | BPF_W, 2, 1, offsetof(struct bpf_cgroup_dev_ctx, access_type), 0);
	INSN(BPF_LDX | BPF_MEM | BPF_W, 4, 1, offsetof(struct bpf_cgroup_dev_ctx, major), 0);
	INSN(BPF_LDX | BPF_MEM | BPF_W, 5, 1, offsetof(struct bpf_cgroup_dev_ctx, minor), 0);
	INSN(BPF_ALU64 | BPF_MOV | BPF_X, 3, 2, 0, 0);
	INSN(BPF_ALU64 | BPF_RSH | BPF_K, 3, 0, 0, 16);
	INSN(BPF_JMP | BPF_JNE | BPF_K, 3, 0, 2, BPF_DEVCG_ACC_MKNOD);
	RETURN(1);
	INSN(BPF_ALU64 | BPF_AND | BPF_K, 2, 0, 0, 0xffff);
	INSN(BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 2, BPF_DEVCG_DEV_CHAR);
	RETURN(0);
	INSN(BPF_JMP | BPF_JNE | BPF_K, 4, 0, 2, PTS);
	RETURN(1);
	for (size_t i = 0; i < COUNT(devices); i++) {
		INSN(BPF_JMP | BPF_JNE | BPF_K, 4, 0, 3, devices[i].major);
		INSN(BPF_JMP | BPF_JNE | BPF_K, 5, 0, 2, devices[i].minor);
		RETURN(1);
	}
	RETURN(0);
	memset(&load, 0, sizeof load);
	load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	load.insns = (uintptr_t)code;
	load.insn_cnt = n;
	load.license = (uintptr_t)"GPL";
	memset(&attach, 0, sizeof attach);
	attach.target_fd = dir;
	attach.attach_bpf_fd = syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load);
	check((int)attach.attach_bpf_fd, "load device program");
	attach.attach_type = BPF_CGROUP_DEVICE;
	attach.attach_flags = BPF_F_ALLOW_MULTI;
	check(syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof attach), "attach device program");
	close(attach.attach_bpf_fd);
}

/* copy_cpuset copies a file of the parent cgroup. */
static void copy_cpuset(const char *hierarchy, const char *parents, const char *name)
{
	char text[256];
	int fd = open(path_of(hierarchy, parents), O_RDONLY | O_CLOEXEC);
	ssize_t n;

	check(fd, parents);
	check(n = read(fd, text, sizeof text - 1), parents);
	close(fd);
	text[n] = 0;
	write_file(path_of(hierarchy, name), text);
}

/* make_cgroup returns a descriptor of the v2 cgroup, -1 on v1. */
static int make_cgroup(void)
{
	int fd;

	for (int i = 0; i < n_hierarchies; i++) {
		const char *name = strrchr(hierarchies[i], '/') + 1;
		check(mkdir(path_of(hierarchies[i], ""), 0755), hierarchies[i]);
		if (strcmp(name, "devices") == 0)
			limit_devices_v1(hierarchies[i]);
		if (strcmp(name, "cpuset") == 0) {
			copy_cpuset(hierarchies[i], "../cpuset.cpus", "cpuset.cpus");
			copy_cpuset(hierarchies[i], "../cpuset.mems", "cpuset.mems");
		}
	}
	if (n_hierarchies > 0)
		return -1;
	check(mkdir(path_of("/sys/fs/cgroup", ""), 0755), cgroup);
	check(fd = open(path_of("/sys/fs/cgroup", ""), O_PATH | O_DIRECTORY | O_CLOEXEC), cgroup);
	limit_devices_v2(fd);
	return fd;
}

static void remove_cgroup(void)
{
	for (int i = 0; i < n_hierarchies; i++)
		check(rmdir(path_of(hierarchies[i], "")), hierarchies[i]);
	if (n_hierarchies == 0)
		check(rmdir(path_of("/sys/fs/cgroup", "")), cgroup);
}

static void enter_cgroup(void)
{
	for (int i = 0; i < n_hierarchies; i++)
		write_file(path_of(hierarchies[i], "tasks"), "0"); /* waits for no RCU grace period */
}

static void raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	check(fd, "socket");
	check(ioctl(fd, SIOCSIFFLAGS, &request), "raise lo");
	close(fd);
}

/* Paths are relative to the root file system. */
static const struct file_system { const char *type, *to; unsigned long flags; const char *data; int make; } mounts[] = {
	{ "proc", "proc", 0, NULL, 0 },
	{ "tmpfs", "dev", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k", 0 },
	{ "devpts", "dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5", 1 },
	{ "tmpfs", "dev/shm", MS_NOSUID | MS_NOEXEC | MS_NODEV, "mode=1777,size=65536k", 1 },
	{ "mqueue", "dev/mqueue", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL, 1 },
	{ "sysfs", "sys", MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY, NULL, 0 },
};

static void set_attributes(const char *path, unsigned flags, uint64_t set)
{
	struct mount_attr attributes = { .attr_set = set };
	check(syscall(SYS_mount_setattr, AT_FDCWD, path, flags, &attributes, sizeof attributes), path);
}

static void mount_cgroup(void)
{
	static const uint64_t attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

	if (n_hierarchies == 0) {
		check(mount("/sys/fs/cgroup", "sys/fs/cgroup", NULL, MS_BIND, NULL), "bind cgroup");
		set_attributes("sys/fs/cgroup", 0, attributes);
		return;
	}
	check(mount("tmpfs", "sys/fs/cgroup", "tmpfs", MS_NOSUID | MS_NOEXEC | MS_NODEV, "mode=755"), "mount tmpfs");
	for (int i = 0; i < n_hierarchies; i++) {
		char to[4096];
		snprintf(to, sizeof to, "sys/fs/cgroup%s", strrchr(hierarchies[i], '/'));
		check(mkdir(to, 0755), to);
		check(mount(path_of(hierarchies[i], ""), to, NULL, MS_BIND, NULL), to);
	}
	set_attributes("sys/fs/cgroup", AT_RECURSIVE, attributes);
}

static void make_devices(void)
{
	static const char *const links[][2] = {
		{ "/proc/self/fd", "dev/fd" }, { "/proc/self/fd/0", "dev/stdin" }, { "/proc/self/fd/1", "dev/stdout" },
		{ "/proc/self/fd/2", "dev/stderr" }, { "pts/ptmx", "dev/ptmx" },
	};

	for (size_t i = 0; i < COUNT(devices); i++)
		if (devices[i].name)
			check(mknod(devices[i].name, S_IFCHR | 0666, makedev(devices[i].major, devices[i].minor)), devices[i].name);
	for (size_t i = 0; i < COUNT(links); i++)
		check(symlink(links[i][0], links[i][1]), links[i][1]);
}

static void hide_paths(void)
{
	static const char *const masked[] = {
		"proc/acpi", "proc/asound", "proc/kcore", "proc/keys", "proc/latency_stats", "proc/timer_list",
		"proc/timer_stats", "proc/sched_debug", "sys/firmware", "proc/scsi",
	};
	static const char *const readonly[] = { "proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger" };

	const char *empty = NULL;

	for (size_t i = 0; i < COUNT(masked); i++) {
		if (mount("dev/null", masked[i], NULL, MS_BIND, NULL) == 0 || errno == ENOENT)
			continue;
		if (errno != ENOTDIR)
			check(-1, masked[i]);
		check(mount(empty, masked[i], "tmpfs", empty ? MS_BIND : MS_RDONLY, NULL), masked[i]);
		empty = masked[i];
	}
	for (size_t i = 0; i < COUNT(readonly); i++) {
		if (mount(readonly[i], readonly[i], NULL, MS_BIND | MS_REC, NULL) && errno == ENOENT)
			continue;
		set_attributes(readonly[i], AT_RECURSIVE, MOUNT_ATTR_RDONLY);
	}
}

static void make_root(void)
{
	check(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL), "isolate mounts");
	check(mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL), rootfs);
	check(chdir(rootfs), rootfs);
	for (size_t i = 0; i < COUNT(mounts); i++) {
		if (mounts[i].make)
			check(mkdir(mounts[i].to, 0755), mounts[i].to);
		check(mount(mounts[i].type, mounts[i].to, mounts[i].type, mounts[i].flags, mounts[i].data), mounts[i].to);
	}
	mount_cgroup();
	make_devices();
	hide_paths();
	check(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	check(umount2(".", MNT_DETACH), "unmount the host");
	set_attributes("/", 0, MOUNT_ATTR_RDONLY);
	check(chdir("/"), "chdir");
}

static void drop_privileges(void)
{
	static const uint32_t kept = 1 << CAP_AUDIT_WRITE | 1 << CAP_KILL | 1 << CAP_NET_BIND_SERVICE;
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct sets[2] = { { kept, kept, 0 }, { 0, 0, 0 } };
	struct rlimit files = { 1024, 1024 };

	check(setrlimit(RLIMIT_NOFILE, &files), "setrlimit");
	for (int c = 0; c <= CAP_LAST_CAP; c++)
		if (c > 31 || !(kept & 1u << c))
			check(prctl(PR_CAPBSET_DROP, c, 0, 0, 0), "drop from bounding set");
	check(syscall(SYS_setgroups, 0, NULL), "setgroups");
	check(syscall(SYS_capset, &header, sets), "capset");
	check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
}

static void inside(void)
{
	char *const args[] = { "/bin/true", NULL };
	char *const environment[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm", "HOME=/", NULL };

	enter_cgroup();
	check(setsid(), "setsid");
	umask(0);
	raise_loopback();
	check(sethostname("berth", 5), "sethostname");
	make_root();
	umask(022);
	drop_privileges();
	check(syscall(SYS_close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC), "close_range");
	execve(args[0], args, environment);
	error(127, errno, "%s", args[0]);
}

int main(int argc, char **argv)
{
	struct clone_args args = { .exit_signal = SIGCHLD,
		.flags = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS };
	int dir, status;
	pid_t pid;

	if (argc < 3)
		error(2, 0, "usage: bound ROOTFS CGROUP [HIERARCHY...]");
	rootfs = argv[1];
	cgroup = argv[2];
	hierarchies = argv + 3;
	n_hierarchies = argc - 3;
	dir = make_cgroup();
	if (dir >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = dir;
	}
	pid = syscall(SYS_clone3, &args, sizeof args);
	check(pid, "clone3");
	if (pid == 0)
		inside();
	check(waitpid(pid, &status, 0), "wait");
	remove_cgroup();
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
