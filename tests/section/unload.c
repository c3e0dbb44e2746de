// SPDX-License-Identifier: MIT
/*
 * Unloading code that holds sequences: unload PLUGIN.
 *
 * The kernel keeps a pointer to the descriptor of a thread's last sequence,
 * and looks there when the thread is next interrupted: if it is unmapped the
 * thread dies. So a thread forgets it before the code goes (ufutex/ref.h).
 */
#include <dlfcn.h>

#include "hammer.h"
#include "plugin.h"

static const char *path;
static struct ufx_ref ref;
static int handled;

struct plugin {
	void *handle;
	__typeof__(plugin_make) *make;
	__typeof__(plugin_use) *use;
	__typeof__(plugin_forget) *forget;
	__typeof__(plugin_use_outside) *use_outside;
	__typeof__(plugin_kill) *kill;
	__typeof__(plugin_mode) *mode;
};

static void load(struct plugin *p)
{
	p->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!p->handle)
		bail("%s", dlerror());
	*(void **)&p->make = dlsym(p->handle, "plugin_make");
	*(void **)&p->use = dlsym(p->handle, "plugin_use");
	*(void **)&p->forget = dlsym(p->handle, "plugin_forget");
	*(void **)&p->use_outside = dlsym(p->handle, "plugin_use_outside");
	*(void **)&p->kill = dlsym(p->handle, "plugin_kill");
	*(void **)&p->mode = dlsym(p->handle, "plugin_mode");
}

/* True if nothing is mapped there any more. */
static bool unload(struct plugin *p)
{
	uintptr_t code = (uintptr_t)p->use & ~(uintptr_t)4095;
	unsigned char seen;

	dlclose(p->handle);
	return mincore((void *)code, 1, &seen) && errno == ENOMEM;
}

/* ---- a thread that sleeps meanwhile ---- */

enum before_unload { NOTHING, FORGET, ANOTHER };

struct sleeper {
	struct plugin *plugin;
	enum before_unload what;
	int ready, go;
};

static void on_signal(int sig)
{
	(void)sig;
	handled = 1;
}

static void *use_and_sleep(void *arg)
{
	struct sleeper *s = arg;

	s->plugin->use(&ref, 100);
	if (s->what == FORGET)
		s->plugin->forget();
	else if (s->what == ANOTHER)
		s->plugin->use_outside(&ref);
	__atomic_store_n(&s->ready, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&s->go, __ATOMIC_ACQUIRE))
		nap_us(1000);
	return NULL;
}

/* In a child: its status. */
static int unload_under(enum before_unload what)
{
	struct sleeper s = { .what = what };
	struct plugin p;
	pthread_t thread;
	int status = -1;
	pid_t pid = tap_fork();

	if (pid) {
		waitpid(pid, &status, 0);
		return status;
	}
	signal(SIGUSR1, on_signal);
	load(&p);
	s.plugin = &p;
	if (p.make(&ref) || pthread_create(&thread, NULL, use_and_sleep, &s))
		_exit(2);
	wait_until(&s.ready, 1);
	if (!unload(&p))
		_exit(3);
	pthread_kill(thread, SIGUSR1);
	wait_until(&handled, 1);
	s.go = 1;
	pthread_join(thread, NULL);
	_exit(0);
}

/* ---- over and over, under load ---- */

static struct plugin now;
static int round_number, finished, users_stop;
#define USERS 3
#define ROUNDS 40
#define EACH 300

/* Uses what is loaded, once a round, and forgets it. */
static void *user(void *arg)
{
	int seen = 0;

	(void)arg;
	for (;;) {
		while (__atomic_load_n(&round_number, __ATOMIC_ACQUIRE) == seen &&
		       !__atomic_load_n(&users_stop, __ATOMIC_ACQUIRE))
			nap_us(20);
		if (__atomic_load_n(&users_stop, __ATOMIC_ACQUIRE))
			return NULL;
		seen = __atomic_load_n(&round_number, __ATOMIC_ACQUIRE);
		now.use(&ref, EACH);
		now.forget();
		__atomic_fetch_add(&finished, 1, __ATOMIC_SEQ_CST);
	}
}

/* Runs the library's own sequences all the time. */
static void other(struct hammer *h)
{
	((struct plugin *)h->arg)->use_outside(&ref);
}

/* A file of its own: the loader knows one by its inode. */
static void copy_to(const char *name)
{
	FILE *from = fopen(path, "rb"), *to = fopen(name, "wb");
	char buffer[4096];
	size_t n;

	if (!from || !to)
		bail("%s: %s", name, strerror(errno));
	while ((n = fread(buffer, 1, sizeof(buffer), from)) > 0)
		fwrite(buffer, 1, n, to);
	fclose(from);
	fclose(to);
}

static void over_and_over(void)
{
	struct plugin stays;
	pthread_t users[USERS];
	struct crew others = { 0 };
	char copy[64];
	int i, gone = 0;

	/* One that stays, under another name; it makes the library stay. */
	load(&stays);
	snprintf(copy, sizeof(copy), "./plugin-%d.so", (int)getpid());
	if (stays.make(&ref))
		bail("no ref");
	for (i = 0; i < USERS; i++)
		pthread_create(&users[i], NULL, user, NULL);
	crew_add(&others, other, &stays);
	copy_to(copy);
	for (i = 0; i < ROUNDS; i++) {
		const char *saved = path;

		path = copy;
		load(&now);
		path = saved;
		__atomic_fetch_add(&round_number, 1, __ATOMIC_SEQ_CST);
		while (__atomic_load_n(&finished, __ATOMIC_ACQUIRE) < USERS * (i + 1))
			nap_us(20);
		gone += unload(&now);
	}
	__atomic_store_n(&users_stop, 1, __ATOMIC_SEQ_CST);
	for (i = 0; i < USERS; i++)
		pthread_join(users[i], NULL);
	crew_stop(&others);
	unlink(copy);
	is_int(gone, ROUNDS, "loaded, used by %d threads and unloaded %d times",
	       USERS, ROUNDS);
	is_int(stays.kill(&ref), (long)USERS * ROUNDS * EACH, "the count is exact");
}

int main(int argc, char **argv)
{
	struct plugin p;
	int status = 0;

	if (argc != 2)
		bail("usage: unload PLUGIN");
	path = argv[1];
	load(&p);
	if (p.mode() != UFX_MODE_RSEQ) {
		skip("n/a: this mode has no sequences", "unloading");
		return tap_end();
	}
	dlclose(p.handle);
	/* Unless it was interrupted between its last sequence and its sleep. */
	for (int i = 0; i < 50 && !WIFSIGNALED(status); i++)
		status = unload_under(NOTHING);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV,
	   "a thread that has not forgotten its last sequence dies (%#x)", status);
	is_int(unload_under(FORGET), 0, "one that has lives on");
	is_int(unload_under(ANOTHER), 0, "so does one that has run another since");
	over_and_over();
	return tap_end();
}
