/* notify.h - tells systemd how a service is (Type=notify), if it asks. */
#ifndef NOTIFY_H
#define NOTIFY_H

/* "READY=1", "STOPPING=1": see sd_notify(3). Without systemd: nothing. */
void notify(const char *state);

#endif
