/* SPDX-License-Identifier: MIT */
/* Pages of memory of every kind that a futex word may be in. */
#ifndef TESTS_PAGES_H
#define TESTS_PAGES_H

#include <stdint.h>

uint32_t *page_private(void);        /* anonymous, writable, touched */
uint32_t *page_shared(void);         /* MAP_SHARED, writable, touched */
uint32_t *page_none(void);           /* PROT_NONE */
uint32_t *page_readonly(void);       /* anonymous, touched, then read-only */
uint32_t *page_readonly_file(void);  /* MAP_SHARED of a memfd, read-only */
uint32_t *page_beyond_file(void);    /* MAP_SHARED, behind the file's end */
uint32_t *page_unmapped(void);       /* nothing is there, nor will be */
uint32_t *page_kernel(void);         /* an address of the kernel's half */

/* The last word of a page, behind which is a PROT_NONE one. */
uint32_t *page_last_word(void);

/* @word moved by @bytes. */
uint32_t *misaligned(uint32_t *word, int bytes);

#endif
