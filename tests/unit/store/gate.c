/* SPDX-License-Identifier: Apache-2.0 */
#include "gate.h"

enum err gate_stand(struct task *task, struct db *db, void *arg)
{
	struct gate *gate = arg;

	(void)task;
	(void)db;
	pthread_mutex_lock(&gate->lock);
	gate->is_entered = true;
	pthread_cond_broadcast(&gate->moved);
	while (!gate->is_open)
		pthread_cond_wait(&gate->moved, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
	return OK;
}

void gate_wait(struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	while (!gate->is_entered)
		pthread_cond_wait(&gate->moved, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
}

void gate_open(struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	gate->is_open = true;
	pthread_cond_broadcast(&gate->moved);
	pthread_mutex_unlock(&gate->lock);
}
