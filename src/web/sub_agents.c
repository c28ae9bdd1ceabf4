/* SPDX-License-Identifier: Apache-2.0 */
#include "web/sub_agents.h"

#include <stdlib.h>

#include "model/delegation.h"
#include "store/derivations.h"
#include "web/agents.h"
#include "web/words.h"

/* A path comes before those that begin with it: this is the tree, read from the top. */
static int by_path(const void *a, const void *b)
{
	const struct sub_agent *first = a, *second = b;

	return str_compare(first->path, second->path);
}

static unsigned depth_of(struct str path)
{
	unsigned depth = 1;

	for (size_t i = 0; i < path.len; i++)
		depth += path.at[i] == ' ';
	return depth;
}

static const char *state_key(const struct page *page, const struct sub_agent *agent)
{
	if (agent->stopped_at != 0)
		return "agent.sub_agent_stopped";
	return agent->live_until > page->task->now ? "agent.sub_agent_live"
						   : "agent.sub_agent_over";
}

static void add_one(const struct page *page, const struct sub_agent *agent, struct data *list)
{
	struct str parent = path_before(agent->path);
	size_t begins = parent.len == 0 ? 0 : parent.len + 1;
	struct data *item = data_item(list);

	data_str(item, "path", agent->path);
	data_str(item, "sub_agent_name", str_from(agent->path, begins));
	data_int(item, "depth", depth_of(agent->path));
	if (!str_is_empty(parent))
		data_str(item, "through", agents_sub_agent_name(page, parent));
	data_str(item, "state", page_text(page, state_key(page, agent), NULL));
	if (agent->stopped_at != 0)
		data_true(item, "is_stopped");
	if (agent->last_used_at != 0)
		words_time(page, data_object(item, "acted"), agent->last_used_at);
}

enum err sub_agents_add(const struct page *page, struct db *db, const struct family *family,
			struct data *item)
{
	struct sub_agent *agents = NULL;
	struct data *tree, *list;
	size_t count = 0;
	bool are_more;

	TRY(sub_agent_list(page->task, db, family, page->task->now, &agents, &count));
	if (count == 0)
		return OK;
	are_more = count > SUB_AGENTS_MAX;
	if (are_more)
		count = SUB_AGENTS_MAX;
	qsort(agents, count, sizeof(*agents), by_path);
	tree = data_object(item, "sub_agents");
	list = data_array(tree, "list");
	for (size_t i = 0; i < count; i++) {
		if (!str_is_empty(agents[i].path))
			add_one(page, &agents[i], list);
		else
			data_true(tree, "are_stopped");
	}
	if (are_more)
		data_true(tree, "are_more");
	return OK;
}
