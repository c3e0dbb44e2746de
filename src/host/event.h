/* SPDX-License-Identifier: MIT */
/* A descriptor that a loop can poll: readable while set. */
#ifndef UFX_HOST_EVENT_H
#define UFX_HOST_EVENT_H

/* Not set, non-blocking, closed on exec. The descriptor or -errno. */
int ufx_event_new(void);
void ufx_event_close(int fd);

/* Neither waits nor touches errno. Signal-safe. */
void ufx_event_set(int fd);
void ufx_event_clear(int fd);

#endif
