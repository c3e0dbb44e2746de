/* SPDX-License-Identifier: MIT */
#ifndef EXPLORE_ALL_H
#define EXPLORE_ALL_H

#include "scenario.h"

extern const struct scenario bucket_lock,
	bucket_moved;

extern const struct scenario wait_wake,
	prepare_wake,
	timeout_wake,
	signal_wake,
	wake_chase,
	wake_all,
	waitv,
	neighbours,
	mismatch_acquires,
	wake_acquires,
	timeout_acquires,
	unregistered,
	unregistered_replace;

extern const struct scenario node_wake,
	node_cancel,
	node_leaves,
	node_block,
	wait_cancel;

extern const struct scenario requeue_wake,
	requeue_timeout,
	requeue_all,
	requeue_told,
	requeue_passing,
	requeue_wakes,
	requeue_cross,
	wake_op_both,
	wake_op_cross,
	wake_op_replace,
	requeue_replace,
	requeue_replace_at_zero;

extern const struct scenario replace_pinned,
	replace_wake,
	replace_wake_at_zero,
	first_table,
	first_table_at_zero,
	replace_timeout,
	replace_timeout_at_zero,
	replace_replace,
	replace_replace_at_zero,
	replace_recycle,
	replace_recycle_at_zero,
	replace_contended,
	replace_contended_at_zero,
	replace_fixed,
	replace_fixed_at_zero,
	scale_set,
	scale_set_at_zero,
	teardown,
	teardown_at_zero;

extern const struct scenario handler_wake,
	handler_wake_wait,
	handler_replace,
	handler_replace_at_zero,
	handler_waits,
	handler_twice,
	handler_over_handler,
	handler_waits_for_woken,
	handler_leaves,
	handler_leaves_posted,
	handler_leaves_driver,
	handler_restarts,
	handler_counts,
	fork_middle,
	fork_middle_at_zero,
	fork_handler,
	fork_period;

extern const struct scenario slot_publish,
	slot_publish_twice,
	slot_idle,
	slot_idle_twice,
	slot_idle_rivals,
	slot_teardown,
	ref_kill,
	ref_switch,
	ref_confirm,
	ref_migrate,
	ref_handler;

extern const struct scenario period,
	period_poll,
	deferred_calls,
	calls_lazy,
	calls_budget,
	call_from_call,
	call_frees;

#endif
