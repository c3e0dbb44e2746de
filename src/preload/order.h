/* SPDX-License-Identifier: MIT */
/*
 * Queued (real-time) signals of one number arrive in the order of sending, also
 * when one of them is put off: it goes to the end of the thread's queue, behind
 * those that came while we were at it. So as long as such ones are on their way,
 * all others of the number are sent again, too; each at most once. Whatever is
 * dequeued is numbered, so to speak, by the place that it gets in the queue then.
 *
 * One that is sent again is marked in si_errno, where the kernel keeps 0. What
 * bears something there already is left out of this.
 */
#ifndef UFX_PRELOAD_ORDER_H
#define UFX_PRELOAD_ORDER_H

#include <signal.h>
#include <stdbool.h>

/*
 * Sends @signal with @info to the calling thread once more. For signal handlers.
 * False: the kernel keeps no more of them, and @info is as it was.
 */
bool ufx_order_again(int signal, siginfo_t *info);

/*
 * First in a handler: true if it is this one's turn, false if it has been sent
 * again, behind others. Takes the mark off @info.
 */
bool ufx_order_kept(int signal, siginfo_t *info);

#endif
