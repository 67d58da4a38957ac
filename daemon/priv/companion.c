/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ends of companions.
 */
#include "daemon/priv/companion.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"

bool companion_child_ended(struct companion *c)
{
	int status;

	if (!c->pid || waitpid(c->pid, &status, WNOHANG) != c->pid)
		return false;
	c->pid = 0;
	if (WIFSIGNALED(status))
		log_error("serve", "%s was ended by signal %d; ending too, the gate stays as it is",
			  c->name, WTERMSIG(status));
	else
		log_error("serve", "%s has ended (status %d); ending too, the gate stays as it is",
			  c->name, WEXITSTATUS(status));
	return true;
}

/* With what status, the service manager tells. */
void companion_unit_ended(struct companion *c)
{
	log_error("serve", "%s has ended; ending too, the gate stays as it is", c->name);
	(void)close(c->life);
	c->life = -1;
}

void companion_end(struct companion *c)
{
	if (c->pid) {
		(void)kill(c->pid, SIGKILL);
		(void)waitpid(c->pid, NULL, 0);
	}
	if (c->life >= 0)
		(void)close(c->life);
	*c = (struct companion)COMPANION_NONE;
}
