/* SPDX-License-Identifier: MIT */
/*
 * A note in every object that has the engine in it, in what is loaded. ufutex
 * sites knows it by that: its own calls of futex(2) are left alone.
 */
#ifndef UFUTEX_HOST_NOTE_H
#define UFUTEX_HOST_NOTE_H

__asm__(".pushsection .note.ufutex, \"a\", %note\n"
	".balign 4\n"
	".long 7, 4, 1\n" /* sizes of the owner and of the content, type */
	".asciz \"ufutex\"\n"
	".balign 4\n"
	".long 1\n"
	".popsection");

#endif
