// SPDX-License-Identifier: MIT
/* A program on both sides, and on the model. */
#include <string.h>

#include "program.h"

#define LIMIT_S 40  /* of a program, both sides */

static const char *difference(const struct program *p, const struct outcome *a,
			      const struct outcome *b)
{
	for (int i = 0; i < p->steps; i++) {
		const struct seen *x = &a->seen[i], *y = &b->seen[i];
		bool unknown = x->unknown || y->unknown;

		if (x->asleep != y->asleep || x->returned != y->returned)
			return "who sleeps and who returns";
		if (memcmp(x->result, y->result, sizeof(x->result)) && !unknown)
			return "what a call returns";
		if (x->other != y->other && !unknown)
			return "what the director's or a handler's call returns";
		if (memcmp(x->word, y->word, p->words * sizeof(x->word[0])))
			return "a word";
	}
	if (a->stayed != b->stayed)
		return "who cannot be woken";
	return NULL;
}

const char *run_both(const struct program *p, struct outcome *kernel,
		     struct outcome *engine)
{
	static struct outcome model;
	const char *what = model_run(p, &model);

	if (what)
		return "the generator: no determined program";
	alarm(LIMIT_S); /* the director may hang too */
	run_on(&subject_kernel, p, kernel);
	run_on(&subject_engine, p, engine);
	alarm(0);
	if (kernel->stuck)
		return "on the kernel somebody neither sleeps nor returns";
	if (engine->stuck)
		return "somebody neither sleeps nor returns";
	if (kernel->late || engine->late)
		return NULL;
	what = difference(p, kernel, engine);
	if (!what && difference(p, kernel, &model))
		return "the model, from both";
	return what;
}
