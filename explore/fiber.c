/* SPDX-License-Identifier: MIT */
/*
 * Fibers: a stack each, and a switch that saves what a function call must
 * keep. No system call, unlike swapcontext.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "state.h"

#if defined(__x86_64__)
__asm__(".text\n"
	".globl fiber_switch\n"
	".type fiber_switch, @function\n"
	"fiber_switch:\n\t"
	"pushq %rbp\n\t"
	"pushq %rbx\n\t"
	"pushq %r12\n\t"
	"pushq %r13\n\t"
	"pushq %r14\n\t"
	"pushq %r15\n\t"
	"movq %rsp, (%rdi)\n\t"
	"movq %rsi, %rsp\n\t"
	"popq %r15\n\t"
	"popq %r14\n\t"
	"popq %r13\n\t"
	"popq %r12\n\t"
	"popq %rbx\n\t"
	"popq %rbp\n\t"
	"ret\n\t"
	".size fiber_switch, . - fiber_switch\n");
#else
#error "the explorer's fibers are written for x86-64"
#endif

void fibers_start(void)
{
	model->stacks = mmap(STACKS, FIBERS * STACK_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (model->stacks == MAP_FAILED)
		abort();
}

bool on_a_stack(const void *addr)
{
	return (size_t)((const char *)addr - model->stacks) < FIBERS * STACK_SIZE;
}

void fiber_prepare(unsigned int i)
{
	void **top = (void **)(model->stacks + (i + 1) * STACK_SIZE);

	*--top = NULL; /* where it would return to; keeps the stack aligned */
	*--top = (void *)model->fibers[i].run;
	top -= 6; /* saved registers */
	model->fibers[i].stack_pointer = top;
}
