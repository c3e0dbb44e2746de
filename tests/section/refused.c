// SPDX-License-Identifier: MIT
/*
 * Restartable sequences and membarrier switched off, together and each by
 * itself, at the start or later and in one thread: the right mode is in use,
 * `ufutex check` says the same, and the operations work.
 *
 * The program runs itself for each row: refused row MODE.
 */
#include <ufutex/caps.h>
#include <ufutex/futex.h>
#include <ufutex/ref.h>

#include "blocked.h"
#include "hammer.h"
#include "refused.h"

#define PRIVATE(op) ((op) | UFX_FUTEX_PRIVATE)

/* ---- the operations, in whatever mode ---- */

static struct ufx_ref ref;
static struct ufx_slot slot;
static struct ufx_object objects[2];
static uint32_t word;
static int released, objects_released;

static void note(struct ufx_ref *r)
{
	(void)r;
	released++;
}

static void note_object(struct ufx_object *o)
{
	(void)o;
	objects_released++;
}

static long sleep_on(void *arg)
{
	return ufx_futex(arg, PRIVATE(UFX_FUTEX_WAIT), 0, NULL, NULL, 0);
}

static void start(void)
{
	ufx_object_init(&objects[0], UFX_SLOT_PUBLISH_FIRST, note_object);
	ufx_object_init(&objects[1], UFX_SLOT_PUBLISH_FIRST, note_object);
	if (ufx_ref_init(&ref, note) ||
	    ufx_slot_init(&slot, UFX_SLOT_PUBLISH_FIRST, &objects[0]))
		bail("nothing to count");
}

/* NULL, or what is wrong. */
static const char *count(void)
{
	struct ufx_object *o = ufx_slot_get_inline(&slot);

	if (!o)
		return "the slot is empty";
	for (int i = 0; i < 100; i++) {
		ufx_ref_get(&ref);
		ufx_ref_get_inline(&ref);
		ufx_ref_put_inline(&ref);
		ufx_ref_put(&ref);
	}
	ufx_slot_put(&slot, o);
	return NULL;
}

static const char *sleep_and_wake(void)
{
	static const struct timespec soon = { 0, 1000 };
	struct blocked b;

	if (ufx_futex(&word, PRIVATE(UFX_FUTEX_WAKE), 1, NULL, NULL, 0))
		return "a wake of nobody";
	if (ufx_futex(&word, PRIVATE(UFX_FUTEX_WAIT), 1, NULL, NULL, 0) != -EAGAIN)
		return "a mismatch";
	if (ufx_futex(&word, PRIVATE(UFX_FUTEX_WAIT), 0, &soon, NULL, 0) != -ETIMEDOUT)
		return "a timeout";
	blocked_start(&b, sleep_on, &word, NULL);
	blocked_wait(&b);
	if (ufx_prctl_futex_hash(UFX_PR_FUTEX_HASH_SET_SLOTS, 64, 0, 0) ||
	    ufx_prctl_futex_hash(UFX_PR_FUTEX_HASH_SET_SLOTS, 16, 0, 0))
		return "a resize";
	if (ufx_futex(&word, PRIVATE(UFX_FUTEX_WAKE), 2, NULL, NULL, 0) != 1 ||
	    blocked_join(&b))
		return "a wake";
	return NULL;
}

static const char *replace_and_kill(void)
{
	if (ufx_slot_replace(&slot, &objects[1]) || ufx_slot_get(&slot) != &objects[1])
		return "a replacement";
	ufx_slot_put(&slot, &objects[1]);
	ufx_grace_barrier();
	if (objects_released != 1)
		return "a release";
	if (ufx_ref_kill(&ref) || released != 1)
		return "the count at the end";
	return NULL;
}

/* ---- at the start ---- */

static int row(const char *mode)
{
	struct ufx_capabilities caps;
	const char *wrong;

	ufx_caps(&caps);
	if (strcmp(ufx_mode_name(caps.mode), mode)) {
		diag("the mode is %s; rseq: %s; membarrier: %s",
		     ufx_mode_name(caps.mode), caps.missing[UFX_MODE_RSEQ],
		     caps.missing[UFX_MODE_MEMBARRIER]);
		return 1;
	}
	start();
	wrong = count();
	wrong = wrong ? wrong : sleep_and_wake();
	wrong = wrong ? wrong : replace_and_kill();
	if (wrong)
		diag("wrong: %s", wrong);
	return wrong ? 1 : 0;
}

struct combination {
	const char *name, *mode;
	bool tunable;
	int rseq, membarrier; /* refused with this errno; 0: allowed */
};

static const struct combination combinations[] = {
	{ "nothing", "rseq", false, 0, 0 },
	{ "rseq by the tunable", "membarrier", true, 0, 0 },
	{ "rseq by a filter, ENOSYS", "membarrier", false, ENOSYS, 0 },
	{ "rseq by a filter, EPERM", "membarrier", false, EPERM, 0 },
	{ "membarrier by a filter, ENOSYS", "fence", false, 0, ENOSYS },
	{ "membarrier by a filter, EPERM", "fence", false, 0, EPERM },
	{ "both, the tunable and a filter", "fence", true, 0, EPERM },
	{ "both, by filters", "fence", false, ENOSYS, ENOSYS },
};

/* Becomes @argv with what @c refuses. */
static void become(const struct combination *c, char *const argv[])
{
	setenv("GLIBC_TUNABLES", c->tunable ? "glibc.pthread.rseq=0" : "", 1);
	unsetenv("UFUTEX_REFS");
	if ((c->rseq && !refuse(SYS_rseq, c->rseq)) ||
	    (c->membarrier && !refuse(SYS_membarrier, c->membarrier)))
		_exit(77);
	execv(argv[0], argv);
	_exit(127);
}

static char self[512], command[512];

static void find_programs(void)
{
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[n < 0 ? 0 : n] = '\0';
	strcpy(command, self);
	slash = strrchr(command, '/');
	if (slash && slash - command + 12 < (long)sizeof(command))
		strcpy(slash, "/../ufutex");
}

static int status_of(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : status;
}

/* What `ufutex check` says about the mode; its status. */
static int check(const struct combination *c, char *mode, size_t size)
{
	char *argv[] = { command, (char *)"check", NULL }, line[256];
	int fds[2];
	FILE *out;
	pid_t pid;

	if (pipe(fds))
		bail("pipe: %s", strerror(errno));
	pid = tap_fork();
	if (pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		become(c, argv);
	}
	close(fds[1]);
	out = fdopen(fds[0], "r");
	*mode = '\0';
	while (fgets(line, sizeof(line), out))
		if (!strncmp(line, "mode ", 5) && size >= 32)
			sscanf(line, "mode %31s", mode);
	fclose(out);
	return status_of(pid);
}

static void at_start(const struct combination *c)
{
	char *argv[] = { self, (char *)"row", (char *)c->mode, NULL };
	char mode[32];
	int status;
	pid_t pid = tap_fork();

	if (pid == 0)
		become(c, argv);
	status = status_of(pid);
	if (status == 77) {
		skip("no seccomp here", "refused: %s", c->name);
		return;
	}
	is_int(status, 0, "refused: %s: the mode is %s, all works", c->name, c->mode);
	if (access(command, X_OK)) {
		skip("the command is not built", "ufutex check");
		return;
	}
	status = check(c, mode, sizeof(mode));
	is_str(mode, c->mode, "ufutex check says so");
	is_int(status, 0, "and that all is well");
}

/* ---- later, in one thread ---- */

static const char *volatile result;

static void *refused_membarrier(void *arg)
{
	(void)arg;
	if (!refuse(SYS_membarrier, EPERM)) {
		result = "no seccomp here";
		return NULL;
	}
	result = count();
	if (!result && ufx_ref_switch_to_atomic(&ref) != -EPERM)
		result = "a switch is not refused";
	if (!result && ufx_grace_synchronize() != -EPERM)
		result = "a grace period is not refused";
	result = result ? result : sleep_and_wake();
	return NULL;
}

static int32_t own_cpu_id = -1;

/*
 * A thread that has taken its registration back, as those do that want one of
 * their own. (One that never gets it: glibc aborts the process where the
 * kernel refuses a new thread what it granted the first.)
 */
static void *unregistered(void *arg)
{
#if UFX_HAVE_SECTIONS && defined(__x86_64__)
	char *area = (char *)__builtin_thread_pointer() + ufx_section_env.area;

	if (syscall(SYS_rseq, area, 32, 1, 0x53053053)) {
		result = "it cannot be taken back";
		return arg;
	}
	own_cpu_id = *(volatile int32_t *)(void *)(area + 4);
#endif
	for (int i = 0; i < 1000 && !result; i++)
		result = count();
	result = result ? result : sleep_and_wake();
	return arg;
}

static void work(struct hammer *h)
{
	(void)h;
	count();
}

static void in_one_thread(const char *name, void *(*body)(void *))
{
	struct crew c = { 0 };
	pthread_t thread;
	pid_t pid = tap_fork();

	if (pid) {
		tap_reap(pid, name);
		return;
	}
	start();
	crew_add(&c, work, NULL);
	pthread_create(&thread, NULL, body, NULL);
	pthread_join(thread, NULL);
	crew_stop(&c);
	is_str(result, NULL, "later, in one thread: %s: it works", name);
	ok(own_cpu_id < 0, "a thread without registration has no CPU (%d)", own_cpu_id);
	is_str(replace_and_kill(), NULL, "the others replace and kill, all is counted");
	_exit(0);
}

int main(int argc, char **argv)
{
	struct ufx_capabilities caps;

	if (argc == 3 && !strcmp(argv[1], "row"))
		return row(argv[2]);
	ufx_caps(&caps);
	if (caps.mode != UFX_MODE_RSEQ) {
		skip("n/a: this mode has no sequences", "what is refused");
		return tap_end();
	}
	tap_timeout(55);
	find_programs();
	for (size_t i = 0; i < sizeof(combinations) / sizeof(combinations[0]); i++)
		at_start(&combinations[i]);
	in_one_thread("membarrier", refused_membarrier);
	in_one_thread("rseq", unregistered);
	return tap_end();
}
